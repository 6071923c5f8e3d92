/* skeleton: makes the folders that every root file system begins with, in the current folder,
   with their permissions and owners. Has no library to rest on yet. */

enum { SYS_WRITE = 1, SYS_EXIT = 60, SYS_MKDIR = 83, SYS_SYMLINK = 88, SYS_CHMOD = 90, SYS_CHOWN = 92 };

struct folder {
	char *path;
	int mode;
	int owner;               /* user and group */
};

struct folder folders[] = {
	{ "bin", 0755, 0 }, { "etc", 0755, 0 }, { "home", 0755, 0 }, { "home/user", 0755, 1000 },
	{ "root", 0700, 0 }, { "run", 0755, 0 }, { "tmp", 01777, 0 }, { "usr", 0755, 0 },
	{ "usr/bin", 0755, 0 }, { "usr/include", 0755, 0 }, { "usr/lib", 0755, 0 },
	{ "usr/share", 0755, 0 }, { "var", 0755, 0 }, { "var/tmp", 01777, 0 },
};

/* Ends where the kernel refused something. */
void must(int result, char *path) {
	int n = 0;
	if (result >= 0) return;
	while (path[n]) n++;
	syscall(SYS_WRITE, 2, path, n);
	syscall(SYS_WRITE, 2, ": refused\n", 10);
	syscall(SYS_EXIT, 1, 0, 0);
}

int main() {
	int i;
	for (i = 0; i < sizeof(folders) / sizeof(struct folder); i++) {
		struct folder *f = &folders[i];
		must(syscall(SYS_MKDIR, f->path, 0700, 0), f->path);
		must(syscall(SYS_CHOWN, f->path, f->owner, f->owner), f->path);
		must(syscall(SYS_CHMOD, f->path, f->mode, 0), f->path);
	}
	must(syscall(SYS_SYMLINK, "../run", "var/run", 0), "var/run");
	return 0;
}
