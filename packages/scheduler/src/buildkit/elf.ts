/**
 * Tiny static programs for linux/amd64, written here byte by byte: steps of the canary need something to run
 * before there is anything in the tree, and nothing may come from outside. Pure.
 */

/** A piece of a program: bytes of machine code, or an instruction that ends in the distance to a label
 * (`lea reg, [rip + label]`, `jmp label`), or a label with the bytes it names. */
export type Piece =
  | readonly number[]
  | { readonly code: readonly number[]; readonly to: string }
  | { readonly label: string; readonly bytes: readonly number[] };

/** Where the only segment is loaded; the usual address of a static program. */
const BASE = 0x40_0000;
const HEADERS = 64 + 56;

/** The bytes of an executable: ELF header, one program header (read and execute), the pieces in order. */
export function elf(pieces: readonly Piece[]): Buffer {
  const labels = new Map<string, number>();
  let size = 0;
  for (const piece of pieces) {
    if ('label' in piece) labels.set(piece.label, size);
    size += sizeOf(piece);
  }
  const body = Buffer.alloc(size);
  let at = 0;
  for (const piece of pieces) {
    const bytes = 'label' in piece ? piece.bytes : 'code' in piece ? piece.code : piece;
    body.set(bytes, at);
    if ('to' in piece) {
      const target = labels.get(piece.to);
      if (target === undefined) throw new Error(`no label ${piece.to}`);
      body.writeInt32LE(target - (at + sizeOf(piece)), at + bytes.length);
    }
    at += sizeOf(piece);
  }
  return Buffer.concat([header(HEADERS + size), body]);
}

function sizeOf(piece: Piece): number {
  if ('label' in piece) return piece.bytes.length;
  return 'code' in piece ? piece.code.length + 4 : piece.length;
}

function header(fileSize: number): Buffer {
  const bytes = Buffer.alloc(HEADERS);
  // e_ident: magic, 64-bit, little endian, version 1, System V.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]);
  bytes.writeUInt16LE(2, 16); // e_type: executable
  bytes.writeUInt16LE(62, 18); // e_machine: x86-64
  bytes.writeUInt32LE(1, 20); // e_version
  bytes.writeBigUInt64LE(BigInt(BASE + HEADERS), 24); // e_entry
  bytes.writeBigUInt64LE(64n, 32); // e_phoff
  bytes.writeUInt16LE(64, 52); // e_ehsize
  bytes.writeUInt16LE(56, 54); // e_phentsize
  bytes.writeUInt16LE(1, 56); // e_phnum
  bytes.writeUInt32LE(1, 64); // p_type: load
  bytes.writeUInt32LE(5, 68); // p_flags: read, execute
  bytes.writeBigUInt64LE(BigInt(BASE), 80); // p_vaddr
  bytes.writeBigUInt64LE(BigInt(BASE), 88); // p_paddr
  bytes.writeBigUInt64LE(BigInt(fileSize), 96); // p_filesz
  bytes.writeBigUInt64LE(BigInt(fileSize), 104); // p_memsz
  bytes.writeBigUInt64LE(0x1000n, 112); // p_align
  return bytes;
}

const SYSCALL = [0x0f, 0x05];
const text = (value: string) => [...Buffer.from(value)];
/** `lea rdi, [rip + label]` */
const leaRdi = (to: string): Piece => ({ code: [0x48, 0x8d, 0x3d], to });
/** `mov eax, number` */
const eax = (number: number): Piece => [0xb8, number, 0, 0, 0];

/** Writes `sys: yes` where /sys of the step holds anything, else `sys: no`, to /facts and stdout. */
export function stepProbe(): Buffer {
  return elf([
    leaRdi('sys'),
    [0xbe, 0x00, 0x00, 0x01, 0x00], // mov esi, O_DIRECTORY
    eax(2), // open
    SYSCALL,
    [0x89, 0xc7], // mov edi, eax; where open failed, getdents64 fails too
    [0x48, 0x81, 0xec, 0x00, 0x10, 0x00, 0x00], // sub rsp, 4096
    [0x48, 0x89, 0xe6], // mov rsi, rsp
    [0xba, 0x00, 0x10, 0x00, 0x00], // mov edx, 4096
    eax(217), // getdents64
    SYSCALL,
    { code: [0x4c, 0x8d, 0x25], to: 'no' }, // lea r12, [rip + no]
    [0x41, 0xbd, 8, 0, 0, 0], // mov r13d, length
    [0x83, 0xf8, 0x30], // cmp eax, 48: the entries `.` and `..` alone
    [0x7e, 13], // jle over the next two
    { code: [0x4c, 0x8d, 0x25], to: 'yes' }, // lea r12, [rip + yes]
    [0x41, 0xbd, 9, 0, 0, 0], // mov r13d, length
    [0xbf, 1, 0, 0, 0], // mov edi, 1
    [0x4c, 0x89, 0xe6], // mov rsi, r12
    [0x44, 0x89, 0xea], // mov edx, r13d
    eax(1), // write
    SYSCALL,
    leaRdi('facts'),
    [0xbe, 0x41, 0x02, 0x00, 0x00], // mov esi, O_WRONLY | O_CREAT | O_TRUNC
    [0xba, 0xa4, 0x01, 0x00, 0x00], // mov edx, 0644
    eax(2), // open
    SYSCALL,
    [0x89, 0xc7], // mov edi, eax
    [0x4c, 0x89, 0xe6], // mov rsi, r12
    [0x44, 0x89, 0xea], // mov edx, r13d
    eax(1), // write
    SYSCALL,
    [0x31, 0xff], // xor edi, edi
    eax(60), // exit
    SYSCALL,
    { label: 'sys', bytes: text('/sys\0') },
    { label: 'facts', bytes: text('/facts\0') },
    { label: 'no', bytes: text('sys: no\n') },
    { label: 'yes', bytes: text('sys: yes\n') },
  ]);
}

/** Prints `up` and waits for ever, for tests of ending steps. */
export function sleeper(): Buffer {
  return elf([
    [0xbf, 1, 0, 0, 0], // mov edi, 1
    { code: [0x48, 0x8d, 0x35], to: 'up' }, // lea rsi, [rip + up]
    [0xba, 3, 0, 0, 0], // mov edx, 3
    eax(1), // write
    SYSCALL,
    { label: 'again', bytes: [] },
    eax(34), // pause
    SYSCALL,
    { code: [0xe9], to: 'again' }, // jmp again
    { label: 'up', bytes: text('up\n') },
  ]);
}
