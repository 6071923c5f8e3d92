/**
 * Values that BuildKit checks only after expansion, in stages that are built: ports, signals, modes,
 * checksums.
 *
 * After BuildKit v0.32.2 frontend/dockerfile/dockerfile2llb and the libraries it uses.
 */

import { sourceKind } from './remote.ts';
import { cut, ReadingError } from './text.ts';

const SIGNALS: ReadonlySet<string> = new Set(
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'.split(
    ' ',
  ),
);

/** STOPSIGNAL: a number but 0, or a name with or without SIG. @throws ReadingError */
export function checkSignal(signal: string): void {
  if (/^[+-]?[0-9]+$/.test(signal) ? Number(signal) !== 0 : isSignalName(signal)) return;
  throw new ReadingError(`invalid signal: ${signal}`);
}

function isSignalName(signal: string): boolean {
  const name = signal.toUpperCase().replace(/^SIG/, '');
  if (SIGNALS.has(name)) return true;
  const offset = /^RTM(IN\+|AX-)([1-9][0-9]?)$/.exec(name);
  return offset !== null && Number(offset[2]) <= (offset[1] === 'IN+' ? 15 : 14);
}

/** EXPOSE: `[ip:][port[-port]:]port[-port][/protocol]`. The IP address is not checked. @throws ReadingError */
export function checkPort(port: string): void {
  const parts = port.split(':');
  const { before: container, after: protocol = '' } = cut(parts.at(-1) ?? '', '/');
  if (!['', 'tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) {
    throw new ReadingError(`invalid port: ${JSON.stringify(port)}: invalid proto: ${protocol}`);
  }
  const inside = portCount(container, 'containerPort');
  const host = parts.at(-2) ?? '';
  if (host !== '' && portCount(host, 'hostPort') !== inside && inside !== 1) {
    throw new ReadingError(`invalid ranges specified for container and host Ports: ${container} and ${host}`);
  }
}

function portCount(range: string, which: string): number {
  const { before, after } = cut(range, '-');
  const first = portNumber(before);
  const last = after === undefined || after === before ? first : portNumber(after);
  if (first === undefined || last === undefined || last < first) {
    throw new ReadingError(`invalid ${which}: ${range}`);
  }
  return last - first + 1;
}

function portNumber(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 0 && port <= 65535 ? port : undefined;
}

/** `--chmod`: octal up to 7777 or symbolic as chmod(1) takes it. @throws ReadingError */
export function checkMode(mode: string): void {
  if (mode === '') return;
  const isOctal = /^[0-7]+$/.test(mode) && Number.parseInt(mode, 8) <= 0o7777;
  if (isOctal || /^[augo]*([+=-][rstwXxugo]*)+(,[augo]*([+=-][rstwXxugo]*)+)*$/.test(mode)) return;
  throw new ReadingError(
    `invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`,
  );
}

/** `ADD --checksum`. @throws ReadingError */
export function checkChecksum(checksum: string, sources: readonly string[]): void {
  if (checksum === '') return;
  const [source] = sources;
  if (source === undefined || sources.length !== 1) {
    throw new ReadingError("checksum can't be specified for multiple sources");
  }
  const kind = sourceKind(source);
  if (kind === 'local') throw new ReadingError('checksum requires HTTP(S) or Git sources');
  const isDigest = /^sha256:[a-f0-9]{64}$|^sha384:[a-f0-9]{96}$|^sha512:[a-f0-9]{128}$/.test(checksum);
  if (kind === 'http' && !isDigest) throw new ReadingError(`invalid checksum digest format: ${checksum}`);
}
