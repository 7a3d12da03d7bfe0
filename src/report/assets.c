#include "report/assets.h"

/* Compilers run in the top folder, from which the assembler finds them. */
#define ASSET(name, file) \
	__asm__(".section .rodata\n.global asset_" name "\nasset_" name ":\n" \
		".incbin \"src/report/html/" file "\"\n.byte 0\n.previous\n")

ASSET("timeline_css", "timeline.css");
ASSET("hatches_svg", "hatches.svg");
ASSET("page_html", "page.html");
ASSET("page_css", "page.css");
ASSET("page_js", "page.js");
