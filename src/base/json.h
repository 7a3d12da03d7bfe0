#ifndef NOXMK_BASE_JSON_H
#define NOXMK_BASE_JSON_H

/* Reading and writing JSON values with fewer words than jansson needs. */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

/* The string of that key; "" where there is none. It lives as long as the object. */
const char *json_text(const json_t *object, const char *key);

/* The same as a copy that the caller frees; NULL where there is none. */
char *json_text_copy(const json_t *object, const char *key) UNUSED_RESULT;

/* The number of that key; 0 where there is none. */
double json_number(const json_t *object, const char *key);

/* A new JSON string, or JSON's null for NULL and for what is not UTF-8. */
json_t *json_text_or_null(const char *) UNUSED_RESULT;

/* Does the list have that string? */
bool json_list_has(const json_t *list, const char *text);

/* The strings of that list as strings_join gives them. The caller frees. */
char *json_list_join(const json_t *list, const char *between) UNUSED_RESULT;

/* Is that a list of strings, and none of them empty? */
bool json_is_texts(const json_t *);

/* Those of a list that are strings: a file may have been changed. A new list. */
json_t *json_texts(const json_t *list) UNUSED_RESULT;

/* The words of a text, between which there are blanks. A new list. */
json_t *json_words(const char *text) UNUSED_RESULT;

/* Adds the value, whose reference it takes, as a line of ASCII: a file of JSON Lines. */
void json_add_line(struct buffer *, json_t *);

#endif
