/** Writes docs/commands.md from the command tables. For developers: `node packages/cli/src/args/manual.ts`. */
import { writeFileSync } from 'node:fs';
import { commands } from '../commands/table.ts';
import { manual } from './help.ts';

writeFileSync(new URL('../../../../docs/commands.md', import.meta.url), manual(commands));
