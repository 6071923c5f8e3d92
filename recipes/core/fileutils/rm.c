/* rm: removes files, and folders with all that is in them.

   usage: rm [-r] [-f] FILE...
   -f is content with what is not there. */

#include <io.h>
#include <folder.h>

int recursive;
int force;
int status;

void remove(char *path) {
	struct stat s;
	if (lstat(path, &s) < 0) {
		if (force) return;
		warn("can not find", path);
		status = 1;
		return;
	}
	if (stat_kind(&s) == MODE_FOLDER && recursive) {
		char **names = list_folder(path);
		for (; names && *names; names++) remove(join_path(path, *names));
		if (syscall(SYS_RMDIR, path, 0, 0) == 0) return;
	} else if (syscall(SYS_UNLINK, path, 0, 0) == 0) return;
	warn("can not remove", path);
	status = 1;
}

int main(int argc, char **argv) {
	int i = 1;
	program_name = "rm";
	for (; i < argc && argv[i][0] == '-'; i++) {
		char *option = argv[i] + 1;
		for (; *option; option++) {
			if (*option == 'r') recursive = 1;
			else if (*option == 'f') force = 1;
			else die("usage: rm [-r] [-f] FILE...", 0);
		}
	}
	for (; i < argc; i++) remove(argv[i]);
	return finish(status);
}
