// A file that begins anew before it gets too long: NAME, and NAME.1, NAME.2 of what was before.
//
// rotating-file-stream was looked at for it. It turns the file only once it is too long, doesn't
// see that a write took but a part of a line, and after one error, a full disk's too, writes no more.

import { appendFileSync, close, constants, fstat, fstatSync, open, openSync, rename, unlink, write } from 'node:fs';
import { promisify } from 'node:util';

const opening = promisify(open);
const closing = promisify(close);
const measuring = promisify(fstat);
const renaming = promisify(rename);
const unlinking = promisify(unlink);

// A recording is for its owner's eyes.
const MODE = 0o600;
const APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY;
const LINE_END = Buffer.from('\n');
// How much is handed to the system at once.
const BATCH = 2 ** 20;

const opened = new Set<RotatingFile>();
let listening = false;

function atExit(file: RotatingFile): void {
  opened.add(file);
  if (!listening) {
    listening = true;
    process.on('exit', () => opened.forEach((each) => each.finish()));
  }
}

/**
 * Writes lines to a file, in the order in which they come and one batch after the other, aside.
 */
export class RotatingFile {
  /** Bytes of lines that are not written yet. */
  waiting = 0;
  /** Lines that are not handed to the system yet. */
  #lines: Buffer[] = [];
  #fd: number | undefined;
  #size: number;
  /** Whether a line broke off, of which a part is in the file. */
  #torn = false;
  #writing: Promise<void> | undefined;

  /** Opens the file, or throws the system's error. `failed` is told of each line that is lost later. */
  constructor(
    readonly path: string,
    public maxBytes: number,
    public files: number,
    private readonly failed: (error: unknown) => void,
  ) {
    this.#fd = openSync(path, APPEND, MODE);
    this.#size = fstatSync(this.#fd).size;
    atExit(this);
  }

  /** Takes a line, with its end, which is written soon. */
  write(line: Buffer): void {
    this.waiting += line.length;
    this.#lines.push(line);
    this.#writing ??= this.#writeAll();
  }

  /** Closes the file once all is written. */
  async close(): Promise<void> {
    await this.#writing;
    opened.delete(this);
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) {
      await closing(fd).catch(this.failed);
    }
  }

  /** Writes until no line is left. Never fails. */
  async #writeAll(): Promise<void> {
    // The lines of this moment make one batch.
    await Promise.resolve();
    while (this.#lines.length > 0) {
      const batch = this.#take();
      let rest = batch;
      try {
        if (this.#size > 0 && this.#size + batch.length > this.maxBytes) {
          await this.#rotate();
        }
        this.#fd ??= await this.#open();
        if (this.#torn) {
          // So one line is lost, and not the next one too.
          await this.#append(LINE_END);
        }
        while (rest.length > 0) {
          rest = await this.#append(rest);
        }
      } catch (error) {
        for (let lost = linesIn(rest); lost > 0; lost--) {
          this.failed(error);
        }
      }
      this.waiting -= batch.length;
    }
    this.#writing = undefined;
  }

  /** Takes lines that fit into the file as it is or, if none does, into one that is begun anew. */
  #take(): Buffer {
    const first = this.#lines[0] as Buffer;
    const fits = this.#size + first.length <= this.maxBytes;
    const room = Math.min(BATCH, fits ? this.maxBytes - this.#size : this.maxBytes);
    let [n, length] = [1, first.length];
    for (let next = this.#lines[1]; next !== undefined && length + next.length <= room; next = this.#lines[n]) {
      n++;
      length += next.length;
    }
    const taken = this.#lines.splice(0, n);
    return n === 1 ? first : Buffer.concat(taken, length);
  }

  /** Writes as many bytes as the system takes, and returns the rest. */
  async #append(bytes: Buffer): Promise<Buffer> {
    const n = await new Promise<number>((resolve, reject) => {
      write(this.#fd as number, bytes, 0, bytes.length, null, (error, n) => (error ? reject(error) : resolve(n)));
    });
    this.#size += n;
    if (n > 0) {
      this.#torn = bytes[n - 1] !== LINE_END[0];
    }
    return bytes.subarray(n);
  }

  async #open(): Promise<number> {
    const fd = await opening(this.path, APPEND, MODE);
    this.#size = (await measuring(fd)).size;
    return fd;
  }

  /** Makes NAME to NAME.1, NAME.1 to NAME.2, and so on; of `files` in all the oldest goes. */
  async #rotate(): Promise<void> {
    const fd = this.#fd;
    this.#fd = undefined;
    this.#torn = false;
    if (fd !== undefined) {
      await closing(fd);
    }
    const name = (n: number) => (n === 0 ? this.path : `${this.path}.${n}`);
    if (this.files === 1) {
      await unlinking(this.path).catch(unlessMissing);
    }
    for (let n = this.files - 1; n > 0; n--) {
      await renaming(name(n - 1), name(n)).catch(unlessMissing);
    }
    this.#size = 0;
  }

  /** Writes what is left, now that the process or the worker ends, and nothing is done aside any more. */
  finish(): void {
    try {
      if (this.#lines.length > 0) {
        appendFileSync(this.path, Buffer.concat(this.#lines), { mode: MODE });
      }
    } catch (error) {
      this.failed(error);
    }
    this.#lines = [];
  }
}

/** Counts lines, of which the first may lack its begin. */
function linesIn(bytes: Buffer): number {
  let n = 0;
  for (let at = bytes.indexOf(LINE_END); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) {
    n++;
  }
  return n;
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') {
    throw error;
  }
}
