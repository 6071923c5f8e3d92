/* tee: writes its input to its output and to files.

   usage: tee [FILE...] */

#include <io.h>

int main(int argc, char **argv) {
	struct buffer b;
	int i;
	program_name = "tee";
	memset((char *)&b, 0, sizeof(struct buffer));
	read_open(0, &b);
	for (i = 1; i < argc; i++) write_file(argv[i], b.bytes, b.size, 0666);
	put_bytes(b.bytes, b.size);
	return finish(0);
}
