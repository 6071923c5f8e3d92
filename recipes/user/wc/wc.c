/* wc: counts lines, words and bytes.

   usage: wc [-l] [-w] [-c] [FILE...] */

#include <io.h>

int lines;
int words;
int bytes;

void show(int l, int w, int b, char *name) {
	if (lines) put_right(l, 8);
	if (words) put_right(w, 8);
	if (bytes) put_right(b, 8);
	if (!equal(name, "-")) {
		put_char(' ');
		put_text(name);
	}
	put_char('\n');
}

int main(int argc, char **argv) {
	int all[3];
	int i = 1;
	int first;
	program_name = "wc";
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		char *option = argv[i] + 1;
		for (; *option; option++) {
			if (*option == 'l') lines = 1;
			else if (*option == 'w') words = 1;
			else if (*option == 'c') bytes = 1;
			else die("usage: wc [-l] [-w] [-c] [FILE...]", 0);
		}
	}
	if (!lines && !words && !bytes) lines = words = bytes = 1;
	if (i == argc) {
		argv[0] = "-";
		i = 0;
		argc = 1;
	}
	first = i;
	memset((char *)all, 0, sizeof(all));
	for (; i < argc; i++) {
		struct buffer b;
		int l = 0;
		int w = 0;
		int inside = 0;
		int at;
		memset((char *)&b, 0, sizeof(struct buffer));
		need_file(argv[i], &b);
		for (at = 0; at < b.size; at++) {
			int blank = is_blank(b.bytes[at]);
			if (b.bytes[at] == '\n') l++;
			if (!blank && !inside) w++;
			inside = !blank;
		}
		show(l, w, b.size, argv[i]);
		all[0] += l;
		all[1] += w;
		all[2] += b.size;
	}
	if (argc - first > 1) show(all[0], all[1], all[2], "total");
	return finish(0);
}
