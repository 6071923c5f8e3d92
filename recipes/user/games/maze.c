/* maze: draws a maze in which each place can be reached in one way.

   usage: maze [WIDTH [HEIGHT [SEED]]]      the same seed gives the same maze */

#include <io.h>

enum { MAX = 100 };

char cells[2 * MAX + 1][2 * MAX + 1];  /* 1 is a wall */
int steps_x[4] = { 0, 1, 0, -1 };
int steps_y[4] = { -1, 0, 1, 0 };
int state;
int width;
int height;

/* The next number of a linear congruential generator, below limit. */
int chance(int limit) {
	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33 & 0x3FFFFFFF) % limit;
}

void carve(int x, int y) {
	int order[4];
	int i;
	cells[2 * y + 1][2 * x + 1] = 0;
	for (i = 0; i < 4; i++) order[i] = i;
	for (i = 3; i > 0; i--) {
		int j = chance(i + 1);
		int swap = order[i];
		order[i] = order[j];
		order[j] = swap;
	}
	for (i = 0; i < 4; i++) {
		int dx = steps_x[order[i]];
		int dy = steps_y[order[i]];
		int to_x = x + dx;
		int to_y = y + dy;
		if (to_x < 0 || to_y < 0 || to_x >= width || to_y >= height) continue;
		if (!cells[2 * to_y + 1][2 * to_x + 1]) continue;
		cells[2 * y + 1 + dy][2 * x + 1 + dx] = 0;
		carve(to_x, to_y);
	}
}

int main(int argc, char **argv) {
	int x;
	int y;
	width = argc > 1 ? parse_number(argv[1], 10) : 20;
	height = argc > 2 ? parse_number(argv[2], 10) : 8;
	state = argc > 3 ? parse_number(argv[3], 10) : 1;
	program_name = "maze";
	if (width < 1 || height < 1 || width > MAX || height > MAX) die("usage: maze [WIDTH [HEIGHT [SEED]]]", 0);
	memset((char *)cells, 1, sizeof(cells));
	carve(0, 0);
	cells[0][1] = 0;
	cells[2 * height][2 * width - 1] = 0;
	for (y = 0; y <= 2 * height; y++) {
		for (x = 0; x <= 2 * width; x++) put_text(cells[y][x] ? "##" : "  ");
		put_char('\n');
	}
	return finish(0);
}
