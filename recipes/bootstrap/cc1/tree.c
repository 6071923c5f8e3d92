/* tree.c: expressions as trees. Knows the operators, their ranks and types; what is constant
   is computed here. Knows nothing of the processor. */

enum {
	NODES_MAX = 65536,
	/* Kinds of nodes; a and b are its operands. */
	N_NUMBER = 1,  /* value */
	N_STRING,      /* value is its label */
	N_SYMBOL,      /* value is a global, data, local or function */
	N_LOAD,        /* what a points to */
	N_ADDRESS,     /* of a */
	N_ASSIGN,      /* b to a */
	N_UPDATE,      /* a = a operator b; value is the operator */
	N_BINARY,      /* a operator b; value is the operator */
	N_NEGATE, N_INVERT, N_NOT, N_AND, N_OR, N_COMMA,
	N_CHOOSE,      /* a ? b : value, which is a node */
	N_CALL,        /* a with the arguments b, linked by next; value is how many */
};

int node_kind[NODES_MAX];
int node_type[NODES_MAX];
int node_value[NODES_MAX];
int node_a[NODES_MAX];
int node_b[NODES_MAX];
int node_next[NODES_MAX];
int node_total;               /* taken; an expression's nodes are given back after its code */

int new_node(int kind, int type, int a, int b) {
	node_total = node_total + 1;
	if (node_total == NODES_MAX) fail("the expression is too long", 0);
	node_kind[node_total] = kind;
	node_type[node_total] = type;
	node_value[node_total] = 0;
	node_a[node_total] = a;
	node_b[node_total] = b;
	node_next[node_total] = 0;
	return node_total;
}

int number_node(int value) {
	int node = new_node(N_NUMBER, INT, 0, 0);
	node_value[node] = value;
	return node;
}

int is_number(int node) {
	return node_kind[node] == N_NUMBER;
}

int address_of(int node) {
	int type = node_type[node];
	if (node_kind[node] == N_LOAD) {
		int pointer = node_a[node];
		node_type[pointer] = pointer_to(type);
		return pointer;
	}
	if (node_kind[node] != N_SYMBOL) fail("this has no address", 0);
	return new_node(N_ADDRESS, pointer_to(type), node, 0);
}

/* The value of a node: arrays and functions are pointers to what they hold. */
int value_of(int node) {
	int kind = type_kind[node_type[node]];
	if (kind == T_ARRAY) {
		int base = type_base[node_type[node]];
		node = address_of(node);
		node_type[node] = pointer_to(base);
	} else if (kind == T_FUNCTION && node_kind[node] == N_SYMBOL) {
		node = new_node(N_ADDRESS, pointer_to(node_type[node]), node, 0);
	}
	return node;
}

int load(int pointer) {
	int type = node_type[pointer];
	if (is_pointer(type) == 0) fail("this is no pointer", 0);
	return new_node(N_LOAD, type_base[type], pointer, 0);
}

int compute(int operator, int a, int b) {
	if (operator == '+') return a + b;
	if (operator == '-') return a - b;
	if (operator == '*') return a * b;
	if (operator == '&') return a & b;
	if (operator == '|') return a | b;
	if (operator == '^') return a ^ b;
	if (operator == '<') return a < b;
	if (operator == '>') return a > b;
	if (operator == '<' + '<' * 256) return a << b;
	if (operator == '>' + '>' * 256) return a >> b;
	if (operator == '=' + '=' * 256) return a == b;
	if (operator == '!' + '=' * 256) return a != b;
	if (operator == '<' + '=' * 256) return a <= b;
	if (operator == '>' + '=' * 256) return a >= b;
	if (b == 0) fail("division by zero", 0);
	if (operator == '/') return a / b;
	return a % b;
}

int binary_node(int operator, int type, int a, int b) {
	if (is_number(a) && is_number(b)) {
		node_value[a] = compute(operator, node_value[a], node_value[b]);
		node_type[a] = type;
		return a;
	}
	int node = new_node(N_BINARY, type, a, b);
	node_value[node] = operator;
	return node;
}

int scaled(int node, int size) {
	if (size == 1) return node;
	return binary_node('*', INT, node, number_node(size));
}

/* a operator b, pointers counted in what they point to. */
int operate(int operator, int a, int b) {
	a = value_of(a);
	b = value_of(b);
	int left = node_type[a];
	int right = node_type[b];
	if (type_kind[left] > T_POINTER || type_kind[right] > T_POINTER) fail("a struct is no number", 0);
	if (left == VOID || right == VOID) fail("this has no value", 0);
	if (operator == '+') {
		if (is_pointer(left)) return binary_node('+', left, a, scaled(b, type_size[type_base[left]]));
		if (is_pointer(right)) return binary_node('+', right, scaled(a, type_size[type_base[right]]), b);
	}
	if (operator == '-' && is_pointer(left)) {
		int size = type_size[type_base[left]];
		if (is_pointer(right) == 0) return binary_node('-', left, a, scaled(b, size));
		int distance = binary_node('-', INT, a, b);
		if (size == 1) return distance;
		return binary_node('/', INT, distance, number_node(size));
	}
	return binary_node(operator, INT, a, b);
}

/* a = a operator b. */
int update(int operator, int a, int b) {
	int type = node_type[a];
	if (is_scalar(type) == 0) fail("this can not be changed", 0);
	b = value_of(b);
	if (is_pointer(type)) b = scaled(b, type_size[type_base[type]]);
	int node = new_node(N_UPDATE, type, a, b);
	node_value[node] = operator;
	return node;
}

int member(int node, int name) {
	int type = node_type[node];
	if (type_kind[type] != T_STRUCT) fail("this is no struct, it has no", names[name]);
	int m = find_member(type, name);
	if (m == 0) fail("the struct has no", names[name]);
	int pointer = address_of(node);
	node_type[pointer] = pointer_to(member_type[m]);
	pointer = binary_node('+', node_type[pointer], pointer, number_node(member_offset[m]));
	return load(pointer);
}
