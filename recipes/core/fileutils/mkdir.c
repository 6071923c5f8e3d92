/* mkdir: makes folders.

   usage: mkdir [-p] [-m MODE] FOLDER...
   -p makes those around it too, and is content with what is there. */

#include <io.h>

int main(int argc, char **argv) {
	int parents = 0;
	int mode = 0777;
	int status = 0;
	int i = 1;
	program_name = "mkdir";
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (equal(argv[i], "-p")) parents = 1;
		else if (equal(argv[i], "-m") && i + 1 < argc) mode = parse_number(argv[++i], 8);
		else die("usage: mkdir [-p] [-m MODE] FOLDER...", 0);
	}
	for (; i < argc; i++) {
		char *path = argv[i];
		int error;
		int n;
		if (parents) {
			for (n = 1; path[n]; n++) {
				if (path[n] == '/') syscall(SYS_MKDIR, copy_bytes(path, n), 0777, 0);
			}
		}
		error = syscall(SYS_MKDIR, path, mode, 0);
		if (error == EXISTS && parents) {
			struct stat s;
			if (stat(path, &s) == 0 && stat_kind(&s) == MODE_FOLDER) error = 0;
		}
		if (error < 0) {
			warn("can not make", path);
			status = 1;
		}
	}
	return finish(status);
}
