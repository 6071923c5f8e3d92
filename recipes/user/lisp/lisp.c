/* lisp: a small Lisp with lexical scope.

   usage: lisp [FILE...]              without any: reads from its input
   Special forms: quote ' if cond define set! lambda let begin and or while.
   Functions: + - * / mod = < > <= >= not eq? null? pair? number? symbol? string? cons car cdr
   list length append reverse map apply print newline error.
   Numbers are whole, of 64 bits. The last call of a function takes no stack. Memory is not
   given back. */

#include <io.h>

enum { NUMBER = 1, SYMBOL, STRING, PAIR, PRIMITIVE, CLOSURE };

struct object {
	int kind;
	int value;               /* of a number */
	char *text;              /* of a symbol, string or primitive */
	struct object *a;        /* of a pair: car; of a closure: its parameters */
	struct object *b;        /* of a pair: cdr; of a closure: its body */
	struct object *scope;    /* of a closure: a list of pairs, name and value */
	struct object *(*function)(struct object *arguments);
	struct object *next;     /* of symbols */
};

struct object *symbols;
struct object *globals;
struct object *nil;
struct object *truth;
struct object *falsehood;
struct object *s_quote;
struct object *s_if;
struct object *s_cond;
struct object *s_define;
struct object *s_set;
struct object *s_lambda;
struct object *s_let;
struct object *s_begin;
struct object *s_and;
struct object *s_or;
struct object *s_while;
struct object *s_else;
char *source;

struct object *new(int kind) {
	struct object *o = (struct object *)allocate(sizeof(struct object));
	o->kind = kind;
	return o;
}

struct object *cons(struct object *a, struct object *b) {
	struct object *o = new(PAIR);
	o->a = a;
	o->b = b;
	return o;
}

struct object *number(int value) {
	struct object *o = new(NUMBER);
	o->value = value;
	return o;
}

struct object *symbol(char *text) {
	struct object *o;
	for (o = symbols; o; o = o->next) if (equal(o->text, text)) return o;
	o = new(SYMBOL);
	o->text = text;
	o->next = symbols;
	symbols = o;
	return o;
}

struct object *boolean(int holds) {
	return holds ? truth : falsehood;
}

void show(struct object *o) {
	if (o == nil) put_text("()");
	else if (o->kind == NUMBER) put_number(o->value);
	else if (o->kind == PAIR) {
		put_char('(');
		show(o->a);
		for (o = o->b; o->kind == PAIR; o = o->b) {
			put_char(' ');
			show(o->a);
		}
		if (o != nil) {
			put_text(" . ");
			show(o);
		}
		put_char(')');
	} else if (o->kind == CLOSURE) put_text("<function>");
	else put_text(o->text);
}

void fail(char *what, struct object *o) {
	flush();
	warn(what, 0);
	if (o) {
		show(o);
		put_char('\n');
		flush();
	}
	exit(1);
}

void skip() {
	while (is_blank(*source) || *source == ';') {
		if (*source == ';') while (*source && *source != '\n') source++;
		else source++;
	}
}

struct object *read_object();

struct object *read_list() {
	struct object *o;
	skip();
	if (*source == 0) fail("a list is not closed", 0);
	if (*source == ')') {
		source++;
		return nil;
	}
	if (*source == '.' && is_blank(source[1])) {
		source++;
		o = read_object();
		skip();
		if (*source != ')') fail("a list goes on after its end", 0);
		source++;
		return o;
	}
	o = read_object();
	return cons(o, read_list());
}

struct object *read_object() {
	int n = 0;
	char *text;
	skip();
	if (*source == '(') {
		source++;
		return read_list();
	}
	if (*source == ')') fail("a list was not opened", 0);
	if (*source == '\'') {
		source++;
		return cons(s_quote, cons(read_object(), nil));
	}
	if (*source == '"') {
		struct object *o = new(STRING);
		source++;
		while (source[n] && source[n] != '"') n++;
		if (!source[n]) fail("a string is not closed", 0);
		o->text = copy_bytes(source, n);
		source += n + 1;
		return o;
	}
	while (source[n] && !is_blank(source[n]) && !strchr("()';\"", source[n])) n++;
	text = copy_bytes(source, n);
	source += n;
	if (is_number(text)) return number(parse_number(text, 10));
	return symbol(text);
}

/* The pair of a name and its value. */
struct object *lookup(struct object *name, struct object *scope) {
	for (; scope != nil; scope = scope->b) if (scope->a->a == name) return scope->a;
	for (scope = globals; scope != nil; scope = scope->b) if (scope->a->a == name) return scope->a;
	fail("has no value:", name);
	return nil;
}

struct object *evaluate(struct object *o, struct object *scope);

struct object *evaluate_list(struct object *list, struct object *scope) {
	struct object *first;
	if (list == nil) return nil;
	first = evaluate(list->a, scope);
	return cons(first, evaluate_list(list->b, scope));
}

/* The scope inside a closure that is called. */
struct object *bind(struct object *closure, struct object *arguments) {
	struct object *scope = closure->scope;
	struct object *names = closure->a;
	for (; names->kind == PAIR; names = names->b) {
		if (arguments == nil) fail("too few arguments for", closure->a);
		scope = cons(cons(names->a, arguments->a), scope);
		arguments = arguments->b;
	}
	if (names != nil) scope = cons(cons(names, arguments), scope);
	else if (arguments != nil) fail("too many arguments for", closure->a);
	return scope;
}

/* All but the last are computed here; gives the last. */
struct object *all_but_last(struct object *body, struct object *scope) {
	if (body == nil) return nil;
	for (; body->b != nil; body = body->b) evaluate(body->a, scope);
	return body->a;
}

struct object *closure(struct object *parameters, struct object *body, struct object *scope) {
	struct object *o = new(CLOSURE);
	o->a = parameters;
	o->b = body;
	o->scope = scope;
	return o;
}

void define(struct object *o, struct object *scope) {
	struct object *name = o->a;
	struct object *value;
	if (name->kind == PAIR) {
		value = closure(name->b, o->b, scope);
		name = name->a;
	} else value = evaluate(o->b->a, scope);
	if (scope == nil) globals = cons(cons(name, value), globals);
	else {                     /* inside a function: known from here on, to itself too */
		struct object *rest = cons(scope->a, scope->b);
		scope->a = cons(name, value);
		scope->b = rest;
	}
}

struct object *evaluate(struct object *o, struct object *scope) {
	while (1) {
		struct object *head;
		struct object *f;
		struct object *arguments;
		if (o->kind == SYMBOL && o != nil && o != truth && o != falsehood) return lookup(o, scope)->b;
		if (o->kind != PAIR) return o;
		head = o->a;
		o = o->b;
		if (head == s_quote) return o->a;
		if (head == s_if) {
			if (evaluate(o->a, scope) != falsehood) o = o->b->a;
			else if (o->b->b != nil) o = o->b->b->a;
			else return nil;
			continue;
		}
		if (head == s_cond) {
			for (; o != nil; o = o->b) if (o->a->a == s_else || evaluate(o->a->a, scope) != falsehood) break;
			if (o == nil) return nil;
			o = all_but_last(o->a->b, scope);
			continue;
		}
		if (head == s_define) {
			define(o, scope);
			return nil;
		}
		if (head == s_set) {
			lookup(o->a, scope)->b = evaluate(o->b->a, scope);
			return nil;
		}
		if (head == s_lambda) return closure(o->a, o->b, scope);
		if (head == s_begin) {
			o = all_but_last(o, scope);
			continue;
		}
		if (head == s_let) {
			struct object *inner = scope;
			struct object *names = o->a;
			for (; names != nil; names = names->b) inner = cons(cons(names->a->a, evaluate(names->a->b->a, scope)), inner);
			scope = inner;
			o = all_but_last(o->b, scope);
			continue;
		}
		if (head == s_and || head == s_or) {
			struct object *value = boolean(head == s_and);
			for (; o != nil; o = o->b) {
				value = evaluate(o->a, scope);
				if ((value == falsehood) == (head == s_and)) break;
			}
			return value;
		}
		if (head == s_while) {
			while (evaluate(o->a, scope) != falsehood) evaluate(all_but_last(o->b, scope), scope);
			return nil;
		}
		f = evaluate(head, scope);
		arguments = evaluate_list(o, scope);
		if (f->kind == PRIMITIVE) return f->function(arguments);
		if (f->kind != CLOSURE) fail("is no function:", head);
		scope = bind(f, arguments);
		if (scope == nil) scope = cons(cons(nil, nil), nil);  /* a place for inner definitions */
		o = all_but_last(f->b, scope);
	}
}

struct object *apply(struct object *f, struct object *arguments) {
	struct object *scope;
	if (f->kind == PRIMITIVE) return f->function(arguments);
	if (f->kind != CLOSURE) fail("is no function:", f);
	scope = bind(f, arguments);
	if (scope == nil) scope = cons(cons(nil, nil), nil);
	return evaluate(all_but_last(f->b, scope), scope);
}

int value(struct object *o) {
	if (o->kind != NUMBER) fail("is no number:", o);
	return o->value;
}

struct object *first(struct object *a) {
	if (a == nil) fail("an argument is missing", 0);
	return a->a;
}

struct object *second(struct object *a) {
	return first(a == nil ? a : a->b);
}

struct object *p_add(struct object *a) {
	int n = 0;
	for (; a != nil; a = a->b) n += value(a->a);
	return number(n);
}

struct object *p_multiply(struct object *a) {
	int n = 1;
	for (; a != nil; a = a->b) n *= value(a->a);
	return number(n);
}

struct object *p_subtract(struct object *a) {
	int n = value(first(a));
	if (a->b == nil) return number(-n);
	for (a = a->b; a != nil; a = a->b) n -= value(a->a);
	return number(n);
}

int divisor(struct object *a) {
	int n = value(second(a));
	if (n == 0) fail("division by zero", 0);
	return n;
}

struct object *p_divide(struct object *a) { return number(value(first(a)) / divisor(a)); }
struct object *p_mod(struct object *a) { return number(value(first(a)) % divisor(a)); }
struct object *p_same(struct object *a) { return boolean(value(first(a)) == value(second(a))); }
struct object *p_less(struct object *a) { return boolean(value(first(a)) < value(second(a))); }
struct object *p_greater(struct object *a) { return boolean(value(first(a)) > value(second(a))); }
struct object *p_at_most(struct object *a) { return boolean(value(first(a)) <= value(second(a))); }
struct object *p_at_least(struct object *a) { return boolean(value(first(a)) >= value(second(a))); }
struct object *p_not(struct object *a) { return boolean(first(a) == falsehood); }
struct object *p_null(struct object *a) { return boolean(first(a) == nil); }
struct object *p_pair(struct object *a) { return boolean(first(a)->kind == PAIR); }
struct object *p_is_number(struct object *a) { return boolean(first(a)->kind == NUMBER); }
struct object *p_is_symbol(struct object *a) { return boolean(first(a)->kind == SYMBOL && first(a) != nil); }
struct object *p_is_string(struct object *a) { return boolean(first(a)->kind == STRING); }
struct object *p_cons(struct object *a) { return cons(first(a), second(a)); }
struct object *p_list(struct object *a) { return a; }
struct object *p_apply(struct object *a) { return apply(first(a), second(a)); }

struct object *p_eq(struct object *a) {
	struct object *x = first(a);
	struct object *y = second(a);
	if (x->kind == NUMBER && y->kind == NUMBER) return boolean(x->value == y->value);
	if (x->kind == STRING && y->kind == STRING) return boolean(equal(x->text, y->text));
	return boolean(x == y);
}

struct object *p_car(struct object *a) {
	if (first(a)->kind != PAIR) fail("is no pair:", first(a));
	return first(a)->a;
}

struct object *p_cdr(struct object *a) {
	if (first(a)->kind != PAIR) fail("is no pair:", first(a));
	return first(a)->b;
}

struct object *p_length(struct object *a) {
	int n = 0;
	for (a = first(a); a->kind == PAIR; a = a->b) n++;
	return number(n);
}

struct object *append_two(struct object *a, struct object *b) {
	if (a->kind != PAIR) return b;
	return cons(a->a, append_two(a->b, b));
}

struct object *p_append(struct object *a) {
	if (a == nil) return nil;
	if (a->b == nil) return a->a;
	return append_two(a->a, p_append(a->b));
}

struct object *p_reverse(struct object *a) {
	struct object *r = nil;
	for (a = first(a); a->kind == PAIR; a = a->b) r = cons(a->a, r);
	return r;
}

struct object *map(struct object *f, struct object *list) {
	struct object *o;
	if (list->kind != PAIR) return nil;
	o = apply(f, cons(list->a, nil));
	return cons(o, map(f, list->b));
}

struct object *p_map(struct object *a) { return map(first(a), second(a)); }

struct object *p_print(struct object *a) {
	for (; a != nil; a = a->b) {
		show(a->a);
		if (a->b != nil) put_char(' ');
	}
	return nil;
}

struct object *p_newline(struct object *a) {
	put_char('\n');
	return nil;
}

struct object *p_error(struct object *a) {
	fail("error:", first(a));
	return nil;
}

struct primitive {
	char *name;
	struct object *(*function)(struct object *arguments);
};

struct primitive primitives[] = {
	{ "+", p_add }, { "-", p_subtract }, { "*", p_multiply }, { "/", p_divide }, { "mod", p_mod },
	{ "=", p_same }, { "<", p_less }, { ">", p_greater }, { "<=", p_at_most }, { ">=", p_at_least },
	{ "not", p_not }, { "eq?", p_eq }, { "null?", p_null }, { "pair?", p_pair },
	{ "number?", p_is_number }, { "symbol?", p_is_symbol }, { "string?", p_is_string },
	{ "cons", p_cons }, { "car", p_car }, { "cdr", p_cdr }, { "list", p_list },
	{ "length", p_length }, { "append", p_append }, { "reverse", p_reverse }, { "map", p_map },
	{ "apply", p_apply }, { "print", p_print }, { "newline", p_newline }, { "error", p_error },
};

void run(char *text, int show_values) {
	source = text;
	skip();
	while (*source) {
		struct object *o = evaluate(read_object(), nil);
		if (show_values && o != nil) {
			show(o);
			put_char('\n');
			flush();
		}
		skip();
	}
}

int main(int argc, char **argv) {
	struct buffer b;
	int i;
	program_name = "lisp";
	nil = symbol("nil");
	globals = nil;
	truth = symbol("#t");
	falsehood = symbol("#f");
	s_quote = symbol("quote");
	s_if = symbol("if");
	s_cond = symbol("cond");
	s_define = symbol("define");
	s_set = symbol("set!");
	s_lambda = symbol("lambda");
	s_let = symbol("let");
	s_begin = symbol("begin");
	s_and = symbol("and");
	s_or = symbol("or");
	s_while = symbol("while");
	s_else = symbol("else");
	for (i = 0; i < sizeof(primitives) / sizeof(struct primitive); i++) {
		struct object *o = new(PRIMITIVE);
		o->text = primitives[i].name;
		o->function = primitives[i].function;
		globals = cons(cons(symbol(o->text), o), globals);
	}
	for (i = 1; i < argc || i == 1; i++) {
		memset((char *)&b, 0, sizeof(struct buffer));
		append(&b, "", 0);
		need_file(i < argc ? argv[i] : "-", &b);
		run(b.bytes, argc == 1);
	}
	return finish(0);
}
