/* process.h: other programs. */

#include <sys.h>
#include <string.h>
#include <memory.h>

char **environment;       /* set from main's arguments: argv + argc + 1 */

/* The value of a variable in the environment, or 0. */
char *get_environment(char *name) {
	int n = strlen(name);
	int i;
	for (i = 0; environment[i]; i++) {
		if (strncmp(environment[i], name, n) == 0 && environment[i][n] == '=') return environment[i] + n + 1;
	}
	return 0;
}

/* Becomes the program; comes back only where there is none. A name without "/" is looked
   for in PATH. */
int execute(char **arguments, char **variables) {
	char *path = get_environment("PATH");
	char *name = arguments[0];
	if (strchr(name, '/')) return syscall(SYS_EXECVE, name, arguments, variables);
	if (path == 0) path = "/usr/bin:/bin";
	while (*path) {
		int n = 0;
		while (path[n] && path[n] != ':') n++;
		if (n) syscall(SYS_EXECVE, join_path(copy_bytes(path, n), name), arguments, variables);
		path += n;
		if (*path) path++;
	}
	return -2;
}

/* Waits for a child and gives its exit status; 128 and the signal's number where one ended it. */
int wait_for(int child) {
	char status[8];
	status[0] = 0;
	status[1] = 0;
	syscall(SYS_WAIT4, child, status, 0);
	if (status[0] & 127) return 128 + (status[0] & 127);
	return status[1];
}

/* Runs a program to its end and gives its exit status, 127 where there is none. */
int run(char **arguments) {
	int child = syscall(SYS_FORK, 0, 0, 0);
	if (child < 0) return 126;
	if (child == 0) {
		execute(arguments, environment);
		exit(127);
	}
	return wait_for(child);
}
