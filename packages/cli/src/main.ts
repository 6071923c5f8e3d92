#!/usr/bin/env node
/**
 * The entry. Imports little, because every command pays for it.
 */
import { commands } from './commands/table.ts';
import { start } from './process/start.ts';
import { realServices } from './services-real.ts';

await start(commands, realServices());
