/* ln: gives a file a further name, or with -s makes a name that leads to another.

   usage: ln [-s] [-f] TARGET NAME */

#include <io.h>

int main(int argc, char **argv) {
	int call = SYS_LINK;
	int i = 1;
	program_name = "ln";
	for (; i < argc && argv[i][0] == '-'; i++) {
		char *option = argv[i] + 1;
		for (; *option; option++) {
			if (*option == 's') call = SYS_SYMLINK;
			else if (*option == 'f') syscall(SYS_UNLINK, argv[argc - 1], 0, 0);
			else die("usage: ln [-s] [-f] TARGET NAME", 0);
		}
	}
	if (argc - i != 2) die("usage: ln [-s] [-f] TARGET NAME", 0);
	if (syscall(call, argv[i], argv[i + 1], 0) < 0) die("can not make", argv[i + 1]);
	return finish(0);
}
