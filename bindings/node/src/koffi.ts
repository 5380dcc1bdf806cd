// The means to call the library.

import { LibraryError } from './errors';

/** Advice for where the package is not as it was installed. */
export const BUNDLED =
  "a bundle can't hold the package's native parts: leave it out (esbuild --external:hotpart, webpack externals: " +
  "{ hotpart: 'commonjs hotpart' }) and ship node_modules/hotpart, koffi and @koromix beside the bundle";

type Koffi = typeof import('koffi');

function load(): Koffi {
  try {
    return require('koffi') as Koffi;
  } catch (error) {
    throw new LibraryError(`koffi, which calls libhotpart, can't be loaded (${(error as Error).message}): ${BUNDLED}`);
  }
}

let loaded: Koffi | undefined;

/** koffi, loaded when it is first needed. */
export function koffi(): Koffi {
  return (loaded ??= load());
}
