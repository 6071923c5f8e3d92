/* uniq: of equal lines that follow each other, writes one.

   usage: uniq [-c] [-d] [FILE]     -c: with how many there were; -d: only where more than one */

#include <io.h>

int counted;
int repeated;

void show(char *line, int n) {
	if (!line || repeated && n == 1) return;
	if (counted) {
		put_right(n, 7);
		put_char(' ');
	}
	put_text(line);
	put_char('\n');
}

int main(int argc, char **argv) {
	struct buffer b;
	char *line = 0;
	int n = 0;
	int i = 1;
	int at = 0;
	program_name = "uniq";
	memset((char *)&b, 0, sizeof(struct buffer));
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (equal(argv[i], "-c")) counted = 1;
		else if (equal(argv[i], "-d")) repeated = 1;
		else die("usage: uniq [-c] [-d] [FILE]", 0);
	}
	need_file(i < argc ? argv[i] : "-", &b);
	while (at < b.size) {
		char *next = b.bytes + at;
		while (at < b.size && b.bytes[at] != '\n') at++;
		b.bytes[at++] = 0;
		if (line && equal(line, next)) n++;
		else {
			show(line, n);
			line = next;
			n = 1;
		}
	}
	show(line, n);
	return finish(0);
}
