// The program for which precompiled.h is compiled; it does nothing.
int main() {}
