/* cp: copies files and folders, with their permissions.

   usage: cp [-r] FROM... TO */

#include <io.h>
#include <folder.h>

int recursive;
int status;

void copy(char *from, char *to) {
	struct stat s;
	struct buffer b;
	if (lstat(from, &s) < 0) {
		warn("can not find", from);
		status = 1;
	} else if (stat_kind(&s) == MODE_LINK && recursive) {
		char *target = allocate(4096);
		syscall(SYS_READLINK, from, target, 4095);
		if (syscall(SYS_SYMLINK, target, to, 0) < 0) {
			warn("can not make", to);
			status = 1;
		}
	} else if (stat(from, &s) == 0 && stat_kind(&s) == MODE_FOLDER) {
		char **names = list_folder(from);
		if (!recursive) {
			warn("is a folder", from);
			status = 1;
			return;
		}
		syscall(SYS_MKDIR, to, 0777, 0);
		for (; names && *names; names++) copy(join_path(from, *names), join_path(to, *names));
		syscall(SYS_CHMOD, to, stat_mode(&s) & 07777, 0);
	} else {
		memset((char *)&b, 0, sizeof(struct buffer));
		need_file(from, &b);
		write_file(to, b.bytes, b.size, stat_mode(&s) & 0777);
	}
}

int main(int argc, char **argv) {
	struct stat s;
	char *to = argv[argc - 1];
	int i = 1;
	int into;
	program_name = "cp";
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (equal(argv[i], "-r") || equal(argv[i], "-R") || equal(argv[i], "-a")) recursive = 1;
		else die("usage: cp [-r] FROM... TO", 0);
	}
	if (argc - i < 2) die("usage: cp [-r] FROM... TO", 0);
	into = stat(to, &s) == 0 && stat_kind(&s) == MODE_FOLDER;
	if (argc - i > 2 && !into) die("is no folder", to);
	for (; i < argc - 1; i++) copy(argv[i], into ? join_path(to, base_name(argv[i])) : to);
	return finish(status);
}
