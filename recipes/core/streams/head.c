/* head: writes the first lines of a file or of its input.

   usage: head [-n LINES] [FILE] */

#include <io.h>

int main(int argc, char **argv) {
	struct buffer b;
	int lines = 10;
	int i = 1;
	int at = 0;
	program_name = "head";
	memset((char *)&b, 0, sizeof(struct buffer));
	if (argc > 2 && equal(argv[1], "-n")) {
		lines = parse_number(argv[2], 10);
		i = 3;
	}
	need_file(i < argc ? argv[i] : "-", &b);
	while (at < b.size && lines > 0) {
		if (b.bytes[at] == '\n') lines--;
		put_char(b.bytes[at++]);
	}
	return finish(0);
}
