/* echo: writes its arguments, with a blank between them and a line end after them. */

int length(char *text) {
	int n = 0;
	while (text[n]) n = n + 1;
	return n;
}

int main(int argc, char **argv) {
	int i = 1;
	while (i < argc) {
		if (i > 1) syscall(1, 1, " ", 1);
		syscall(1, 1, argv[i], length(argv[i]));
		i = i + 1;
	}
	return syscall(1, 1, "\n", 1) != 1;
}
