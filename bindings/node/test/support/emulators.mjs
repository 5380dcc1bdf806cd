// Emulators of DynamoDB on loopback; ci/emulators.sh says where they are.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const { DYNALITE, DYNOXIDE, MOTO_PYTHON } = process.env;
const commands = {
  dynalite: DYNALITE && ((port) => [DYNALITE, '--port', port, '--createTableMs', '0']),
  dynoxide: DYNOXIDE && ((port) => [DYNOXIDE, 'serve', '--host', '127.0.0.1', '--port', port]),
  moto: MOTO_PYTHON && ((port) => [MOTO_PYTHON, '-m', 'moto.server', '-H', '127.0.0.1', '-p', port]),
};

/** Why an emulator's tests are skipped; false if they are not. */
export const absent = (name) => (commands[name] ? false : `skipped: nothing says where ${name} is`);

/** Starts an emulator; it is stopped when the test is over. Returns its address. */
export async function start(name, t) {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'hotpart-'));
  const [command, ...options] = commands[name](String(port));
  const child = spawn(command, options, { cwd: directory, stdio: 'ignore' });
  t.after(async () => {
    const ended = child.exitCode === null && new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await ended;
    rmSync(directory, { recursive: true });
  });
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    if (await answers(port)) return `http://127.0.0.1:${port}`;
    await sleep(50);
  }
  throw new Error(`${name} does not answer`);
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
