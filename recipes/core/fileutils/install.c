/* install: copies files to where they belong, makes the folders on the way, sets permissions.

   usage: install [-m MODE] FILE... FOLDER/
          install [-m MODE] FILE NAME
          install -d [-m MODE] FOLDER... */

#include <io.h>

/* Makes the folders of which the path names the last with its last "/". */
void make_folders(char *path) {
	int n;
	for (n = 1; path[n]; n++) if (path[n] == '/') syscall(SYS_MKDIR, copy_bytes(path, n), 0755, 0);
}

int main(int argc, char **argv) {
	struct stat s;
	char *to = argv[argc - 1];
	int folders = 0;
	int mode = 0755;
	int i = 1;
	int into;
	program_name = "install";
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (equal(argv[i], "-d")) folders = 1;
		else if (equal(argv[i], "-m") && i + 1 < argc) mode = parse_number(argv[++i], 8);
		else if (!equal(argv[i], "-D")) die("unknown option", argv[i]);
	}
	if (folders) {
		for (; i < argc; i++) {
			make_folders(argv[i]);
			syscall(SYS_MKDIR, argv[i], mode, 0);
			if (syscall(SYS_CHMOD, argv[i], mode, 0) < 0) die("can not make", argv[i]);
		}
		return finish(0);
	}
	if (argc - i < 2) die("usage: install [-d] [-m MODE] FILE... TO", 0);
	make_folders(to);
	into = stat(to, &s) == 0 && stat_kind(&s) == MODE_FOLDER;
	if (argc - i > 2 && !into) die("is no folder", to);
	for (; i < argc - 1; i++) {
		struct buffer b;
		char *path = into ? join_path(to, base_name(argv[i])) : to;
		memset((char *)&b, 0, sizeof(struct buffer));
		need_file(argv[i], &b);
		syscall(SYS_UNLINK, path, 0, 0);
		write_file(path, b.bytes, b.size, mode);
		syscall(SYS_CHMOD, path, mode, 0);
	}
	return finish(0);
}
