/* sha256sum: the SHA-256 of files (FIPS 180-4), or a check of a list of them.

   usage: sha256sum [FILE...]
          sha256sum -c LIST      lines of sum, two blanks, file; exit status 1 if one differs */

#include <io.h>

int constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

int state[8];
int schedule[64];

int rotate(int x, int n) {
	return (x >> n | x << 32 - n) & 0xFFFFFFFF;
}

/* One block of 64 bytes. */
void compress(char *block) {
	int v[8];
	int i;
	for (i = 0; i < 16; i++) {
		char *p = block + i * 4;
		schedule[i] = p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
	}
	for (i = 16; i < 64; i++) {
		int a = schedule[i - 15];
		int b = schedule[i - 2];
		int s0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		int s1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
		schedule[i] = schedule[i - 16] + s0 + schedule[i - 7] + s1 & 0xFFFFFFFF;
	}
	for (i = 0; i < 8; i++) v[i] = state[i];
	for (i = 0; i < 64; i++) {
		int e = v[4];
		int a = v[0];
		int s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
		int choice = e & v[5] ^ ~e & v[6];
		int t1 = v[7] + s1 + choice + constants[i] + schedule[i];
		int s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
		int majority = a & v[1] ^ a & v[2] ^ v[1] & v[2];
		v[7] = v[6];
		v[6] = v[5];
		v[5] = e;
		v[4] = v[3] + t1 & 0xFFFFFFFF;
		v[3] = v[2];
		v[2] = v[1];
		v[1] = a;
		v[0] = t1 + s0 + majority & 0xFFFFFFFF;
	}
	for (i = 0; i < 8; i++) state[i] = state[i] + v[i] & 0xFFFFFFFF;
}

/* The sum of these bytes in hexadecimal digits. */
char *sum(char *bytes, int size) {
	char last[128];
	char *text = allocate(65);
	int rest = size % 64;
	int padded = rest < 56 ? 64 : 128;
	int i;
	state[0] = 0x6a09e667;
	state[1] = 0xbb67ae85;
	state[2] = 0x3c6ef372;
	state[3] = 0xa54ff53a;
	state[4] = 0x510e527f;
	state[5] = 0x9b05688c;
	state[6] = 0x1f83d9ab;
	state[7] = 0x5be0cd19;
	for (i = 0; i + 64 <= size; i += 64) compress(bytes + i);
	memset(last, 0, 128);
	memcpy(last, bytes + size - rest, rest);
	last[rest] = 0x80;
	for (i = 0; i < 8; i++) last[padded - 1 - i] = size * 8 >> i * 8;
	compress(last);
	if (padded == 128) compress(last + 64);
	for (i = 0; i < 64; i++) text[i] = "0123456789abcdef"[state[i / 8] >> (7 - i % 8) * 4 & 15];
	return text;
}

char *file_sum(char *path) {
	struct buffer b;
	memset((char *)&b, 0, sizeof(struct buffer));
	need_file(path, &b);
	return sum(b.bytes, b.size);
}

int check(char *list) {
	struct buffer b;
	char *p;
	int status = 0;
	memset((char *)&b, 0, sizeof(struct buffer));
	need_file(list, &b);
	for (p = b.bytes; *p;) {
		char *end = strchr(p, '\n');
		char *name;
		int right;
		if (!end) end = p + strlen(p);
		if (end - p < 67) die("a line has no sum", copy_bytes(p, end - p));
		name = copy_bytes(p + 66, end - p - 66);
		right = strncmp(file_sum(name), p, 64) == 0;
		put_text(name);
		put_text(right ? ": OK\n" : ": FAILED\n");
		if (!right) status = 1;
		p = *end ? end + 1 : end;
	}
	return status;
}

int main(int argc, char **argv) {
	int i;
	program_name = "sha256sum";
	if (argc == 3 && equal(argv[1], "-c")) return finish(check(argv[2]));
	if (argc == 1) argv[argc++] = "-";
	for (i = 1; i < argc; i++) {
		put_text(file_sum(argv[i]));
		put_text("  ");
		put_text(argv[i]);
		put_char('\n');
	}
	return finish(0);
}
