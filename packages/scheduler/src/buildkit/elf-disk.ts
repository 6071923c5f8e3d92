/**
 * A tiny static program for linux/amd64 that prints how full the disk is that its root lies on. Pure; see elf.ts.
 */
import { elf } from './elf.ts';

/** Prints the first 40 bytes of statfs("/") as one line of 80 hexadecimal digits. */
export function diskProbe(): Buffer {
  const loop = [
    ...[0x0f, 0xb6, 0x04, 0x0c], // movzx eax, byte [rsp + rcx]
    ...[0x89, 0xc2], // mov edx, eax
    ...[0xc1, 0xe8, 0x04], // shr eax, 4
    ...[0x83, 0xe2, 0x0f], // and edx, 15
    ...[0x8a, 0x04, 0x03], // mov al, [rbx + rax]
    ...[0x8a, 0x14, 0x13], // mov dl, [rbx + rdx]
    ...[0x41, 0x88, 0x04, 0x4c], // mov [r12 + rcx * 2], al
    ...[0x41, 0x88, 0x54, 0x4c, 0x01], // mov [r12 + rcx * 2 + 1], dl
    ...[0xff, 0xc1], // inc ecx
    ...[0x83, 0xf9, 40], // cmp ecx, 40
  ];
  return elf([
    { code: [0x48, 0x8d, 0x3d], to: 'root' }, // lea rdi, [rip + root]
    [0x48, 0x81, 0xec, 0x00, 0x10, 0x00, 0x00], // sub rsp, 4096
    [0x48, 0x89, 0xe6], // mov rsi, rsp
    [0xb8, 137, 0, 0, 0], // mov eax, statfs
    [0x0f, 0x05], // syscall
    { code: [0x48, 0x8d, 0x1d], to: 'digits' }, // lea rbx, [rip + digits]
    [0x4c, 0x8d, 0xa4, 0x24, 0x00, 0x02, 0x00, 0x00], // lea r12, [rsp + 512]
    [0x31, 0xc9], // xor ecx, ecx
    loop,
    [0x7c, 256 - loop.length - 2], // jl back to the loop's begin
    [0x41, 0xc6, 0x44, 0x24, 80, 0x0a], // mov byte [r12 + 80], newline
    [0xbf, 1, 0, 0, 0], // mov edi, 1
    [0x4c, 0x89, 0xe6], // mov rsi, r12
    [0xba, 81, 0, 0, 0], // mov edx, 81
    [0xb8, 1, 0, 0, 0], // mov eax, write
    [0x0f, 0x05], // syscall
    [0x31, 0xff], // xor edi, edi
    [0xb8, 60, 0, 0, 0], // mov eax, exit
    [0x0f, 0x05], // syscall
    { label: 'root', bytes: [...Buffer.from('/\0')] },
    { label: 'digits', bytes: [...Buffer.from('0123456789abcdef')] },
  ]);
}
