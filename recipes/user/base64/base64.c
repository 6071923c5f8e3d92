/* base64: bytes as text of 64 characters (RFC 4648), and back.

   usage: base64 [-d] [FILE] */

#include <io.h>

char *alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int main(int argc, char **argv) {
	struct buffer b;
	int decode = argc > 1 && equal(argv[1], "-d");
	int column = 0;
	int value = 0;
	int bits = 0;
	int i;
	program_name = "base64";
	memset((char *)&b, 0, sizeof(struct buffer));
	need_file(argc > 1 + decode ? argv[1 + decode] : "-", &b);
	if (decode) {
		for (i = 0; i < b.size && b.bytes[i] != '='; i++) {
			char *place;
			if (is_blank(b.bytes[i])) continue;
			place = b.bytes[i] ? strchr(alphabet, b.bytes[i]) : 0;
			if (!place) die("no such character", copy_bytes(b.bytes + i, 1));
			value = value << 6 | place - alphabet;
			bits += 6;
			if (bits >= 8) {
				bits -= 8;
				put_char(value >> bits & 255);
				value &= (1 << bits) - 1;
			}
		}
		return finish(0);
	}
	for (i = 0; i < b.size; i += 3) {
		int n = b.size - i;
		int j;
		value = b.bytes[i] << 16;
		if (n > 1) value |= b.bytes[i + 1] << 8;
		if (n > 2) value |= b.bytes[i + 2];
		for (j = 0; j < 4; j++) put_char(j <= n ? alphabet[value >> 18 - 6 * j & 63] : '=');
		column += 4;
		if (column == 76) {
			put_char('\n');
			column = 0;
		}
	}
	if (column) put_char('\n');
	return finish(0);
}
