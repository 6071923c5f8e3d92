/* ls: names what is in folders, a line each, in the order of their bytes.

   usage: ls [-a] [-l] [FILE...]
   -a with those that begin with "."; -l with permissions and size. */

#include <io.h>
#include <folder.h>

int all;
int details;

void show(char *path, char *name) {
	struct stat s;
	if (details && lstat(path, &s) == 0) {
		int kind = stat_kind(&s);
		int i;
		put_char(kind == MODE_FOLDER ? 'd' : kind == MODE_LINK ? 'l' : '-');
		for (i = 8; i >= 0; i--) put_char(stat_mode(&s) >> i & 1 ? "xwr"[i % 3] : '-');
		put_right(s.size, 10);
		put_char(' ');
	}
	put_text(name);
	put_char('\n');
}

int list(char *path) {
	struct stat s;
	char **names;
	if (lstat(path, &s) < 0) {
		warn("can not find", path);
		return 1;
	}
	names = list_folder(path);
	if (!names) show(path, path);
	else for (; *names; names++) if (all || **names != '.') show(join_path(path, *names), *names);
	return 0;
}

int main(int argc, char **argv) {
	int status = 0;
	int i = 1;
	program_name = "ls";
	for (; i < argc && argv[i][0] == '-'; i++) {
		char *option = argv[i] + 1;
		for (; *option; option++) {
			if (*option == 'a') all = 1;
			else if (*option == 'l') details = 1;
			else if (*option != '1') die("usage: ls [-a] [-l] [FILE...]", 0);
		}
	}
	if (i == argc) return finish(list("."));
	for (; i < argc; i++) if (list(argv[i])) status = 1;
	return finish(status);
}
