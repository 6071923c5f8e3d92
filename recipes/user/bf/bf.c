/* bf: runs programs in brainfuck. A cell has 8 bits, the tape 1 MiB; at the end of the input
   "," leaves the cell as it is.

   usage: bf FILE        or: bf -c PROGRAM */

#include <io.h>

enum { TAPE = 1048576 };

char tape[TAPE];

int main(int argc, char **argv) {
	struct buffer b;
	int *partner;            /* of each bracket, where the other one is */
	int *open;
	int depth = 0;
	int at;
	int cell = 0;
	char *code;
	program_name = "bf";
	memset((char *)&b, 0, sizeof(struct buffer));
	if (argc == 3 && equal(argv[1], "-c")) append_text(&b, argv[2]);
	else if (argc == 2) need_file(argv[1], &b);
	else die("usage: bf FILE, or bf -c PROGRAM", 0);
	code = b.bytes;
	partner = (int *)allocate((b.size + 1) * sizeof(int));
	open = (int *)allocate((b.size + 1) * sizeof(int));
	for (at = 0; at < b.size; at++) {
		if (code[at] == '[') open[depth++] = at;
		else if (code[at] == ']') {
			if (depth == 0) die("a bracket was not opened", 0);
			partner[at] = open[--depth];
			partner[partner[at]] = at;
		}
	}
	if (depth) die("a bracket is not closed", 0);
	for (at = 0; at < b.size; at++) {
		switch (code[at]) {
		case '>':
			if (++cell == TAPE) die("the tape ends here", 0);
			break;
		case '<':
			if (cell-- == 0) die("the tape begins here", 0);
			break;
		case '+': tape[cell]++; break;
		case '-': tape[cell]--; break;
		case '.': put_char(tape[cell]); break;
		case ',':
			flush();
			read(0, tape + cell, 1);
			break;
		case '[': if (!tape[cell]) at = partner[at]; break;
		case ']': if (tape[cell]) at = partner[at]; break;
		}
	}
	return finish(0);
}
