/* cat: writes the bytes of its files one after the other, or those of its input.

   usage: cat [FILE...] */

#include <io.h>

char piece[65536];

int copy(int file) {
	int n;
	while ((n = read(file, piece, 65536)) > 0) if (write_all(1, piece, n) < 0) return 1;
	return n < 0;
}

int main(int argc, char **argv) {
	int status = 0;
	int i;
	program_name = "cat";
	if (argc == 1) return copy(0);
	for (i = 1; i < argc; i++) {
		int file = equal(argv[i], "-") ? 0 : open(argv[i], O_RDONLY, 0);
		if (file < 0 || copy(file)) {
			warn("can not read", argv[i]);
			status = 1;
		}
		if (file > 0) close(file);
	}
	return status;
}
