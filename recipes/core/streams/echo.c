/* echo: writes its arguments, with a blank between them and a line end after them.

   usage: echo [-n] [TEXT...]     -n: no line end */

#include <io.h>

int main(int argc, char **argv) {
	int line_end = !(argc > 1 && equal(argv[1], "-n"));
	int i;
	for (i = 2 - line_end; i < argc; i++) {
		put_text(argv[i]);
		if (i + 1 < argc) put_char(' ');
	}
	if (line_end) put_char('\n');
	return finish(0);
}
