/* types.c: types and symbols. Knows nothing of expressions and of the processor, but that
   an int and a pointer have 8 bytes. */

enum {
	TYPES_MAX = 8192, MEMBERS_MAX = 8192, SYMBOLS_MAX = 16384,
	T_INT = 1, T_CHAR, T_VOID, T_POINTER, T_ARRAY, T_STRUCT, T_FUNCTION,  /* kinds */
	INT = 1, CHAR, VOID,                                                  /* types */
	CONSTANT = 1, GLOBAL, DATA, LOCAL, FUNCTION,                          /* symbols */
};

int type_kind[TYPES_MAX];
int type_base[TYPES_MAX];     /* of a pointer, array or function: what it gives */
int type_size[TYPES_MAX];     /* in bytes; 0 where it is not known */
int type_align[TYPES_MAX];
int type_count[TYPES_MAX];    /* of an array: its elements, -1 not known; of a function: its parameters, -1 any */
int type_members[TYPES_MAX];  /* of a struct: the first member */
int type_pointer[TYPES_MAX];  /* the pointer to this type, or 0 */
int type_total;

int member_name[MEMBERS_MAX];
int member_type[MEMBERS_MAX];
int member_offset[MEMBERS_MAX];
int member_next[MEMBERS_MAX];
int member_total;

int symbol_name[SYMBOLS_MAX];
int symbol_kind[SYMBOLS_MAX];
int symbol_type[SYMBOLS_MAX];
int symbol_value[SYMBOLS_MAX];   /* constant: value; global: address; local: offset from RBP */
int symbol_outer[SYMBOLS_MAX];   /* what the name meant outside */
int symbol_defined[SYMBOLS_MAX]; /* of a function: its body was seen */
int symbol_total;

int new_type(int kind, int base, int size, int align) {
	type_total = type_total + 1;
	if (type_total == TYPES_MAX) fail("too many types", 0);
	type_kind[type_total] = kind;
	type_base[type_total] = base;
	type_size[type_total] = size;
	type_align[type_total] = align;
	return type_total;
}

void start_types() {
	new_type(T_INT, 0, 8, 8);
	new_type(T_CHAR, 0, 1, 1);
	new_type(T_VOID, 0, 1, 1);
}

int pointer_to(int base) {
	if (type_pointer[base] == 0) type_pointer[base] = new_type(T_POINTER, base, 8, 8);
	return type_pointer[base];
}

int array_of(int base, int count) {
	int size = 0;
	if (type_size[base] == 0) fail("an array of what has no size", 0);
	if (count > 0) size = count * type_size[base];
	int type = new_type(T_ARRAY, base, size, type_align[base]);
	type_count[type] = count;
	return type;
}

int function_giving(int base, int parameters) {
	int type = new_type(T_FUNCTION, base, 0, 1);
	type_count[type] = parameters;
	return type;
}

int is_pointer(int type) {
	return type_kind[type] == T_POINTER;
}

/* Has the type a value that fits into a register? */
int is_scalar(int type) {
	return type_kind[type] <= T_POINTER;
}

int round_up(int size, int align) {
	return (size + align - 1) / align * align;
}

/* The member of a struct by its name, or 0. */
int find_member(int type, int name) {
	int member = type_members[type];
	while (member && member_name[member] != name) member = member_next[member];
	return member;
}

int declare(int name, int kind, int type, int value) {
	symbol_total = symbol_total + 1;
	if (symbol_total == SYMBOLS_MAX) fail("too many symbols", 0);
	symbol_name[symbol_total] = name;
	symbol_kind[symbol_total] = kind;
	symbol_type[symbol_total] = type;
	symbol_value[symbol_total] = value;
	symbol_outer[symbol_total] = name_symbol[name];
	symbol_defined[symbol_total] = 0;
	name_symbol[name] = symbol_total;
	return symbol_total;
}

/* Forgets the symbols after the first n. */
void forget(int n) {
	while (symbol_total > n) {
		name_symbol[symbol_name[symbol_total]] = symbol_outer[symbol_total];
		symbol_total = symbol_total - 1;
	}
}
