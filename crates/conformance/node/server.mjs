// Starts the program that PATH calls `nats-server`, and waits until it serves.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const READY_MS_MAX = 20_000;
// What the log says once a configuration was taken over.
const RELOADED = "Reloaded server configuration";

/** Runs `use` with a server that is killed afterwards. */
export async function withServer(config, use, { streams = false, greetsOverTls = false } = {}) {
  const server = new Server(config, streams, greetsOverTls);
  try {
    await server.start("-1");
    await use(server);
  } finally {
    await server.kill();
    rmSync(server.dir, { recursive: true });
  }
}

class Server {
  constructor(config, streams, greetsOverTls) {
    this.greetsOverTls = greetsOverTls;
    this.dir = mkdtempSync(join(tmpdir(), "recado-e2e-"));
    this.logPath = join(this.dir, "log");
    this.flags = ["-a", "127.0.0.1", "--ports_file_dir", this.dir, "-l", this.logPath];
    if (streams) this.flags.push("-js", "-sd", join(this.dir, "store"));
    this.configPath = join(this.dir, "server.conf");
    if (config !== "") {
      writeFileSync(this.configPath, config);
      this.flags.push("-c", this.configPath);
    }
  }

  async start(port) {
    this.process = spawn("nats-server", [...this.flags, "-p", port], { stdio: "ignore" });
    this.exit = once(this.process, "exit");
    const ports = join(this.dir, `nats-server_${this.process.pid}.ports`);
    const deadline = Date.now() + READY_MS_MAX;
    while (!(await this.#serves(ports))) {
      if (this.process.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the server did not come up:\n${this.log()}`);
      }
      await delay(5);
    }
  }

  async #serves(ports) {
    let port;
    try {
      const urls = JSON.parse(readFileSync(ports, "utf8"));
      port = Number(new URL(urls.nats[0]).port);
      this.websocketUrl = urls.websocket?.[0];
    } catch {
      return false;
    }
    const socket = createConnection(port, "127.0.0.1");
    try {
      const [data] = await once(socket, this.greetsOverTls ? "connect" : "data");
      this.port = port;
      return this.greetsOverTls || data.toString().startsWith("INFO ");
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }

  get url() {
    return `127.0.0.1:${this.port}`;
  }

  log() {
    try {
      return readFileSync(this.logPath, "utf8");
    } catch {
      return "";
    }
  }

  /** Waits until the log has these words so many times. */
  async waitForLog(words, count = 1) {
    const deadline = Date.now() + READY_MS_MAX;
    while (this.log().split(words).length - 1 < count) {
      if (this.process.exitCode !== null || Date.now() > deadline) {
        throw new Error(`not ${count} times "${words}" in the log:\n${this.log()}`);
      }
      await delay(5);
    }
  }

  /** Has it read another configuration, and waits until the log says what came of it. */
  async reload(config, says = RELOADED) {
    const done = this.log().split(says).length - 1;
    writeFileSync(this.configPath, config);
    this.process.kill("SIGHUP");
    await this.waitForLog(says, done + 1);
  }

  /** Ends it without giving it a chance to say anything. */
  async kill() {
    this.process.kill("SIGKILL");
    await this.exit;
  }

  /** Starts it on the port that it had. */
  startAgain() {
    return this.start(String(this.port));
  }

  lameDuck() {
    this.process.kill("SIGUSR2");
  }
}
