/* cc: makes a program of C files: the compiler, then as. Knows neither language.

   usage: cc [-S] [-o OUTPUT] FILE.c...
   The files are compiled as one. OUTPUT is a.out where none is named; with -S it is the text
   for as. Beside OUTPUT two files are made and removed: OUTPUT.tmp.c and OUTPUT.tmp.m1. */

#include <io.h>
#include <process.h>

/* Runs a program of ours; where it fails so do we. */
void step(char **arguments) {
	int status = run(arguments);
	if (status == 127) die("can not run", arguments[0]);
	if (status) exit(1);
}

int main(int argc, char **argv) {
	struct buffer all;
	char *output = "a.out";
	char *source;
	char *text;
	char *arguments[10];
	int text_only = 0;
	int files = 0;
	int i;
	program_name = "cc";
	environment = argv + argc + 1;
	memset((char *)&all, 0, sizeof(struct buffer));
	for (i = 1; i < argc; i++) {
		if (equal(argv[i], "-S")) text_only = 1;
		else if (equal(argv[i], "-o") && i + 1 < argc) output = argv[++i];
		else if (argv[i][0] == '-') die("usage: cc [-S] [-o OUTPUT] FILE.c...", 0);
		else {
			append_text(&all, "#include \"");
			append_text(&all, argv[i]);
			append_text(&all, "\"\n");
			files++;
		}
	}
	if (files == 0) die("usage: cc [-S] [-o OUTPUT] FILE.c...", 0);
	source = join(output, ".tmp.c");
	text = text_only ? output : join(output, ".tmp.m1");
	write_file(source, all.bytes, all.size, 0644);
	arguments[0] = "/usr/lib/cc/cc1";
	arguments[1] = source;
	arguments[2] = text;
	arguments[3] = 0;
	i = run(arguments);
	syscall(SYS_UNLINK, source, 0, 0);
	if (i) exit(1);
	if (text_only) return finish(0);
	arguments[0] = "/usr/bin/as";
	arguments[1] = output;
	arguments[2] = "/usr/lib/cc/elf.hex2";
	arguments[3] = "/usr/lib/cc/amd64.m1";
	arguments[4] = "/usr/lib/cc/start.m1";
	arguments[5] = text;
	arguments[6] = "/usr/lib/cc/end.hex2";
	arguments[7] = 0;
	step(arguments);
	syscall(SYS_UNLINK, text, 0, 0);
	return finish(0);
}
