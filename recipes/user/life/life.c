/* life: Conway's game of life on a board without edges.

   usage: life [GENERATIONS [FILE]]
   FILE holds the first generation, "#" for what lives; without it, a glider on a small board.
   Every generation is shown. */

#include <io.h>

enum { MAX = 200 };

char board[MAX][MAX];
char next_board[MAX][MAX];
int width;
int height;

char *glider =
	"..........................\n"
	"..#.......................\n"
	"...#......................\n"
	".###......................\n"
	"..................###.....\n"
	"..........................\n"
	"......##..................\n"
	"......##..................\n";

void load(char *text) {
	int x = 0;
	for (; *text; text++) {
		if (*text == '\n') {
			height++;
			x = 0;
		} else {
			if (x == MAX || height == MAX) die("the board is too large", 0);
			board[height][x++] = *text == '#';
			if (x > width) width = x;
		}
	}
	if (x) height++;
}

int neighbours(int y, int x) {
	int n = 0;
	int dy;
	int dx;
	for (dy = -1; dy <= 1; dy++) {
		for (dx = -1; dx <= 1; dx++) {
			if (dy || dx) n += board[(y + dy + height) % height][(x + dx + width) % width];
		}
	}
	return n;
}

void show(int generation) {
	int x;
	int y;
	put_text("generation ");
	put_number(generation);
	put_char('\n');
	for (y = 0; y < height; y++) {
		for (x = 0; x < width; x++) put_char(board[y][x] ? '#' : '.');
		put_char('\n');
	}
}

int main(int argc, char **argv) {
	int generations = argc > 1 ? parse_number(argv[1], 10) : 4;
	int generation;
	int x;
	int y;
	program_name = "life";
	if (argc > 2) {
		struct buffer b;
		memset((char *)&b, 0, sizeof(struct buffer));
		need_file(argv[2], &b);
		load(b.bytes);
	} else load(glider);
	if (width == 0) die("the board is empty", 0);
	for (generation = 0; generation <= generations; generation++) {
		show(generation);
		for (y = 0; y < height; y++) {
			for (x = 0; x < width; x++) {
				int n = neighbours(y, x);
				next_board[y][x] = n == 3 || n == 2 && board[y][x];
			}
		}
		memcpy((char *)board, (char *)next_board, sizeof(board));
	}
	return finish(0);
}
