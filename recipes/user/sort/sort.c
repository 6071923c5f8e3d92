/* sort: puts lines in order, by their bytes or as numbers; equal ones stay in theirs.

   usage: sort [-n] [-r] [-u] [FILE...]     -u: of equal ones only the first */

#include <io.h>
#include <folder.h>

int numeric;
int reverse;

int compare(char *a, char *b) {
	if (numeric) {
		int x;
		int y;
		while (is_blank(*a)) a++;
		while (is_blank(*b)) b++;
		x = parse_number(a, 10);
		y = parse_number(b, 10);
		return (x > y) - (x < y);
	}
	return strcmp(a, b);
}

int before(char *a, char *b) {
	return reverse ? compare(a, b) > 0 : compare(a, b) < 0;
}

int main(int argc, char **argv) {
	struct buffer b;
	char **lines;
	int unique = 0;
	int count = 0;
	int i = 1;
	int at = 0;
	program_name = "sort";
	memset((char *)&b, 0, sizeof(struct buffer));
	append(&b, "", 0);
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		char *option = argv[i] + 1;
		for (; *option; option++) {
			if (*option == 'n') numeric = 1;
			else if (*option == 'r') reverse = 1;
			else if (*option == 'u') unique = 1;
			else die("usage: sort [-n] [-r] [-u] [FILE...]", 0);
		}
	}
	if (i == argc) read_open(0, &b);
	for (; i < argc; i++) {
		need_file(argv[i], &b);
		if (b.size && b.bytes[b.size - 1] != '\n') append_byte(&b, '\n');
	}
	for (i = 0; i < b.size; i++) if (b.bytes[i] == '\n') count++;
	lines = (char **)allocate((count + 2) * sizeof(char *));
	count = 0;
	while (at < b.size) {
		lines[count++] = b.bytes + at;
		while (at < b.size && b.bytes[at] != '\n') at++;
		b.bytes[at++] = 0;
	}
	sort(lines, count, before);
	for (i = 0; i < count; i++) {
		if (unique && i && compare(lines[i - 1], lines[i]) == 0) continue;
		put_text(lines[i]);
		put_char('\n');
	}
	return finish(0);
}
