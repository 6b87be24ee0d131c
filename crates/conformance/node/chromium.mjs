// A real browser without a window, and the web server whose pages it opens. RECADO_BROWSER names its program.

import { spawn } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { build } from "esbuild";

import { within } from "./suite.mjs";

const READY_MS_MAX = 30_000;
const PAGE_MS_MAX = 30_000;

/** What a browser takes a certificate's key for that it shall trust: the digest of it. */
function pin(pem) {
  const key = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

/** Serves one page, with a cookie where that is asked for, and hears what comes of it. */
class Web {
  #waiting = new Map();
  #count = 0;

  static async start() {
    const web = new Web();
    const bundle = { entryPoints: ["page.mjs"], bundle: true, format: "esm", write: false };
    web.script = (await build(bundle)).outputFiles[0].text;
    web.server = createServer((request, response) => web.#answer(request, response));
    await once(web.server.listen(0), "listening");
    web.port = web.server.address().port;
    return web;
  }

  async #answer(request, response) {
    const url = new URL(request.url, "http://here");
    if (url.pathname.startsWith("/done/")) {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const tell = this.#waiting.get(Number(url.pathname.slice("/done/".length)));
      tell?.(JSON.parse(Buffer.concat(chunks).toString()));
      response.end();
    } else if (url.pathname === "/page.js") {
      response.setHeader("Content-Type", "text/javascript");
      response.end(this.script);
    } else {
      const cookie = url.searchParams.get("cookie");
      // The page itself can't read it, as it should be with secrets.
      if (cookie) response.setHeader("Set-Cookie", `${cookie}; HttpOnly; SameSite=Strict`);
      response.setHeader("Content-Type", "text/html");
      response.end('<!doctype html><title>page</title><script type="module" src="/page.js"></script>');
    }
  }

  /** A page that does this, and what will come of it. */
  page(host, task, options, cookie) {
    const id = (this.#count += 1);
    const outcome = new Promise((resolve) => this.#waiting.set(id, resolve));
    const query = new URLSearchParams({ do: JSON.stringify({ id, task, options }) });
    if (cookie) query.set("cookie", cookie);
    return { url: `http://${host}:${this.port}/?${query}`, outcome };
  }
}

/** A browser that trusts this certificate beside those that it knows. */
export class Browser {
  static async start(trusted) {
    const browser = new Browser();
    browser.web = await Web.start();
    browser.dir = mkdtempSync(join(tmpdir(), "recado-browser-"));
    browser.process = spawn(process.env.RECADO_BROWSER ?? "chromium", [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--disable-dev-shm-usage", `--user-data-dir=${browser.dir}`, "--remote-debugging-port=0",
      `--ignore-certificate-errors-spki-list=${pin(trusted)}`, "about:blank",
    ], { stdio: "ignore" });
    browser.exit = once(browser.process, "exit");
    browser.port = await browser.#debuggingPort();
    return browser;
  }

  async #debuggingPort() {
    const deadline = Date.now() + READY_MS_MAX;
    for (;;) {
      try {
        const [port, path] = readFileSync(join(this.dir, "DevToolsActivePort"), "utf8").split("\n");
        if (path) return Number(port);
      } catch {
        // Not there yet.
      }
      if (this.process.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the browser did not come up (exit ${this.process.exitCode})`);
      }
      await delay(10);
    }
  }

  /** The origin of pages under this name of the machine. */
  origin(host = "127.0.0.1") {
    return `http://${host}:${this.web.port}`;
  }

  /** Opens a page that does this task, and returns what came of it. */
  async open(task, options, { host = "127.0.0.1", cookie } = {}) {
    const { url, outcome } = this.web.page(host, task, options, cookie);
    const devtools = `http://127.0.0.1:${this.port}/json`;
    const opened = await fetch(`${devtools}/new?${encodeURIComponent(url)}`, { method: "PUT" });
    const { id } = await opened.json();
    try {
      return await within(PAGE_MS_MAX, outcome);
    } finally {
      await fetch(`${devtools}/close/${id}`);
    }
  }

  async stop() {
    this.process.kill("SIGKILL");
    await this.exit;
    this.web.server.close();
    // Its helpers may still write for a moment.
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
