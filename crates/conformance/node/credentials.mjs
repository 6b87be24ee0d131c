// The directory with credentials that RECADO_CREDENTIALS names; `src/credentials` describes it.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where a file lies. */
export const path = (name) => join(process.env.RECADO_CREDENTIALS ?? ".", name);

/** A file's text. */
export const text = (name) => readFileSync(path(name), "utf8");

/** Configuration of a listener with this certificate. */
export function tls(name, more = "") {
  return `tls { cert_file: "${path(`${name}.pem`)}", key_file: "${path(`${name}.key`)}"\n${more} }`;
}
