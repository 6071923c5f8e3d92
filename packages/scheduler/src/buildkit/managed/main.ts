/** The supervisor as a program of its own, when run from the sources. */
import { superviseDaemon } from './launch.ts';

process.exitCode = await superviseDaemon(process.argv.slice(2));
