/* hexdump: shows the bytes of a file in hexadecimal digits and as characters.

   usage: hexdump [FILE] */

#include <io.h>

void hex(int value, int digits) {
	while (digits-- > 0) put_char("0123456789abcdef"[value >> digits * 4 & 15]);
}

int main(int argc, char **argv) {
	struct buffer b;
	int at;
	int i;
	program_name = "hexdump";
	memset((char *)&b, 0, sizeof(struct buffer));
	need_file(argc > 1 ? argv[1] : "-", &b);
	for (at = 0; at < b.size; at += 16) {
		hex(at, 8);
		put_text("  ");
		for (i = 0; i < 16; i++) {
			if (at + i < b.size) hex(b.bytes[at + i], 2);
			else put_text("  ");
			put_text(i == 7 ? "  " : " ");
		}
		put_text(" |");
		for (i = at; i < at + 16 && i < b.size; i++) put_char(b.bytes[i] >= ' ' && b.bytes[i] <= '~' ? b.bytes[i] : '.');
		put_text("|\n");
	}
	hex(b.size, 8);
	put_char('\n');
	return finish(0);
}
