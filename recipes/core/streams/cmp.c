/* cmp: compares two files byte by byte; names the first that differs.

   usage: cmp FILE FILE      Exit status: 0 equal, 1 different, 2 one can not be read. */

#include <io.h>

int main(int argc, char **argv) {
	struct buffer a;
	struct buffer b;
	int i = 0;
	int line = 1;
	program_name = "cmp";
	memset((char *)&a, 0, sizeof(struct buffer));
	memset((char *)&b, 0, sizeof(struct buffer));
	if (argc != 3 || read_file(argv[1], &a) < 0 || read_file(argv[2], &b) < 0) {
		warn("usage: cmp FILE FILE, both readable", 0);
		return 2;
	}
	while (i < a.size && i < b.size && a.bytes[i] == b.bytes[i]) if (a.bytes[i++] == '\n') line++;
	if (i == a.size && i == b.size) return 0;
	put_text(argv[1]);
	put_char(' ');
	put_text(argv[2]);
	put_text(" differ: byte ");
	put_number(i + 1);
	put_text(", line ");
	put_number(line);
	put_char('\n');
	return finish(1);
}
