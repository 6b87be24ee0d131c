// A minimal test runner that speaks as Rust's test programs do: `--list` names the tests,
// `--skip NAME` leaves one out, and each gives a line `test NAME ... ok` or `... FAILED`.
// Never retries anything.

// How long one test may take. Only ever reached by a failing test.
const TEST_MS_MAX = 40_000;

const tests = [];

/** Registers an async function as a test. */
export function test(name, run) {
  tests.push({ name, run });
}

/** Runs the tests that the arguments choose, cleans up, and exits with 1 when one failed. */
export async function main(cleanUp = () => {}) {
  const args = process.argv.slice(2);
  if (args[0] === "--list") {
    for (const { name } of tests) console.log(`${name}: test`);
    return;
  }
  const skipped = new Set();
  for (let i = 0; i < args.length; i += 2) {
    if (args[i] !== "--skip") throw new Error(`unknown argument ${args[i]}`);
    skipped.add(args[i + 1]);
  }
  let failed = 0;
  for (const { name, run } of tests.filter(({ name }) => !skipped.has(name))) {
    const error = await within(TEST_MS_MAX, run()).then(() => null, (error) => error ?? "?");
    console.log(`test ${name} ... ${error === null ? "ok" : "FAILED"}`);
    if (error !== null) {
      failed += 1;
      console.error(`\n${name}:`, error);
    }
  }
  await cleanUp();
  // Connections that a failed test left behind must not keep the program alive.
  process.exit(failed === 0 ? 0 : 1);
}

/** The promise's value, or an error when that takes too long. */
export async function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing happened in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
