/* mandelbrot: draws the Mandelbrot set in characters, computed in fixed point numbers.

   usage: mandelbrot [WIDTH [HEIGHT]] */

#include <io.h>

enum { ONE = 16777216, LIMIT = 200 };  /* 1.0, and how many steps are tried */

int steps(int x0, int y0) {
	int x = 0;
	int y = 0;
	int n = 0;
	while (n < LIMIT) {
		int xx = x * x / ONE;
		int yy = y * y / ONE;
		if (xx + yy > 4 * ONE) return n;
		y = 2 * x * y / ONE + y0;
		x = xx - yy + x0;
		n++;
	}
	return n;
}

int main(int argc, char **argv) {
	char *shades = " .:-=+*#%";
	int width = argc > 1 ? parse_number(argv[1], 10) : 64;
	int height = argc > 2 ? parse_number(argv[2], 10) : 24;
	int row;
	int column;
	program_name = "mandelbrot";
	if (width < 2 || height < 2) die("usage: mandelbrot [WIDTH [HEIGHT]]", 0);
	for (row = 0; row < height; row++) {
		for (column = 0; column < width; column++) {
			int n = steps(-22 * ONE / 10 + 32 * ONE / 10 * column / (width - 1), -12 * ONE / 10 + 24 * ONE / 10 * row / (height - 1));
			put_char(n == LIMIT ? '@' : shades[n < 9 ? n : 8]);
		}
		put_char('\n');
	}
	return finish(0);
}
