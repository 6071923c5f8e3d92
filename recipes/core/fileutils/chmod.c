/* chmod: changes permissions.

   usage: chmod MODE FILE...
   MODE is an octal number, or +x, -x, +w, -w, +r, -r for all. */

#include <io.h>

int main(int argc, char **argv) {
	int status = 0;
	int i;
	char *mode = argv[1];
	program_name = "chmod";
	if (argc < 3) die("usage: chmod MODE FILE...", 0);
	for (i = 2; i < argc; i++) {
		struct stat s;
		int bits = parse_number(mode, 8);
		if (stat(argv[i], &s) < 0) {
			warn("can not find", argv[i]);
			status = 1;
			continue;
		}
		if (!is_digit(*mode)) {
			int change = mode[1] == 'x' ? 0111 : mode[1] == 'w' ? 0222 : 0444;
			bits = stat_mode(&s) & 07777;
			if (*mode == '+') bits |= change;
			else if (*mode == '-') bits &= ~change;
			else die("no such mode", mode);
		}
		if (syscall(SYS_CHMOD, argv[i], bits, 0) < 0) {
			warn("can not change", argv[i]);
			status = 1;
		}
	}
	return finish(status);
}
