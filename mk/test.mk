# Tests: libcheck suites (tests/check_*.c) and end-to-end scripts (tests/cli/*.sh).
