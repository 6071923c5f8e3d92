/* sys.h: the system calls of Linux on amd64 that our programs use. Each gives what the
   kernel gives: a value, or an error below 0. */

enum {
	SYS_READ = 0, SYS_WRITE = 1, SYS_OPEN = 2, SYS_CLOSE = 3, SYS_STAT = 4, SYS_FSTAT = 5,
	SYS_LSTAT = 6, SYS_LSEEK = 8, SYS_BRK = 12, SYS_ACCESS = 21, SYS_PIPE = 22, SYS_DUP2 = 33,
	SYS_NANOSLEEP = 35, SYS_GETPID = 39, SYS_FORK = 57, SYS_EXECVE = 59, SYS_EXIT = 60,
	SYS_WAIT4 = 61, SYS_FCNTL = 72, SYS_GETCWD = 79, SYS_CHDIR = 80, SYS_RENAME = 82, SYS_MKDIR = 83,
	SYS_RMDIR = 84, SYS_LINK = 86, SYS_UNLINK = 87, SYS_SYMLINK = 88, SYS_READLINK = 89,
	SYS_CHMOD = 90, SYS_UMASK = 95, SYS_GETDENTS64 = 217,

	O_RDONLY = 0, O_WRONLY = 1, O_CREAT = 64, O_TRUNC = 512, O_APPEND = 1024,
	O_DIRECTORY = 65536, F_DUPFD_CLOEXEC = 1030,

	EXISTS = -17,         /* the error of what is there already */
	NULL = 0,
};

/* What a file is; stat fills it in. */
struct stat {
	int device;
	int inode;
	int links;
	char mode_bytes[4];   /* the kind and the permissions */
	char user_bytes[4];
	char group_bytes[4];
	char padding[4];
	int special;
	int size;
	int block_size;
	int blocks;
	int times[6];
	int reserved[3];
};

enum { MODE_KIND = 0xF000, MODE_FOLDER = 0x4000, MODE_FILE = 0x8000, MODE_LINK = 0xA000 };

int stat_mode(struct stat *s) {
	return s->mode_bytes[0] | s->mode_bytes[1] << 8;
}

int stat_kind(struct stat *s) {
	return stat_mode(s) & MODE_KIND;
}

int open(char *path, int flags, int mode) {
	return syscall(SYS_OPEN, path, flags, mode);
}

int read(int file, char *to, int size) {
	return syscall(SYS_READ, file, to, size);
}

int write(int file, char *from, int size) {
	return syscall(SYS_WRITE, file, from, size);
}

int close(int file) {
	return syscall(SYS_CLOSE, file, 0, 0);
}

/* Follows symbolic links; lstat does not. */
int stat(char *path, struct stat *to) {
	return syscall(SYS_STAT, path, to, 0);
}

int lstat(char *path, struct stat *to) {
	return syscall(SYS_LSTAT, path, to, 0);
}

void exit(int status) {
	syscall(SYS_EXIT, status, 0, 0);
}

/* Writes all of it: 0, or an error. */
int write_all(int file, char *from, int size) {
	while (size > 0) {
		int n = write(file, from, size);
		if (n < 0) return n;
		from += n;
		size -= n;
	}
	return 0;
}
