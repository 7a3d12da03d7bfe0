#ifndef NOXMK_REPORT_ASSETS_H
#define NOXMK_REPORT_ASSETS_H

/*
 * Files of html/ as they are, each with a NUL behind it. They are part of the program, so that it
 * tells of runs wherever it has been copied to.
 */

extern const char asset_timeline_css[], asset_hatches_svg[], asset_page_html[],
    asset_page_css[], asset_page_js[];

#endif
