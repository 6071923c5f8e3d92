/* replace: puts one text in the place of another, wherever that is in a file.

   usage: replace FILE OLD NEW
   Exit status 1 where OLD is not in the file: it is then left as it was. */

#include <io.h>

int main(int argc, char **argv) {
	struct buffer from;
	struct buffer to;
	struct stat s;
	int n;
	int at = 0;
	program_name = "replace";
	if (argc != 4 || argv[2][0] == 0) die("usage: replace FILE OLD NEW", 0);
	memset((char *)&from, 0, sizeof(struct buffer));
	memset((char *)&to, 0, sizeof(struct buffer));
	append(&to, "", 0);
	n = strlen(argv[2]);
	need_file(argv[1], &from);
	while (1) {
		int hit = find(from.bytes + at, from.size - at, argv[2], n);
		if (hit < 0) break;
		append(&to, from.bytes + at, hit);
		append_text(&to, argv[3]);
		at += hit + n;
	}
	if (at == 0) die("is not in the file", argv[2]);
	append(&to, from.bytes + at, from.size - at);
	stat(argv[1], &s);
	write_file(argv[1], to.bytes, to.size, stat_mode(&s) & 0777);
	return finish(0);
}
