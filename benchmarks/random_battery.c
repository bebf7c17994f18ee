/* Runs a battery of TestU01 on words of 32 bits from standard input; see random_battery.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <testu01/bbattery.h>
#include <testu01/swrite.h>
#include <testu01/unif01.h>

static unsigned int buffer[1 << 14];
static size_t place = 0, filled = 0;

static unsigned int next_word(void) {
    if (place == filled) {
        filled = fread(buffer, 4, 1 << 14, stdin);
        place = 0;
        if (filled == 0) {
            fprintf(stderr, "the stream ended\n");
            exit(1);
        }
    }
    return buffer[place++];
}

int main(int argc, char **argv) {
    const char *battery = argc > 1 ? argv[1] : "smallcrush";
    unif01_Gen *generator = unif01_CreateExternGenBits("kerata", next_word);
    swrite_Basic = FALSE; /* only the summary */
    if (!strcmp(battery, "smallcrush")) bbattery_SmallCrush(generator);
    else if (!strcmp(battery, "crush")) bbattery_Crush(generator);
    else if (!strcmp(battery, "bigcrush")) bbattery_BigCrush(generator);
    else if (!strcmp(battery, "rabbit")) bbattery_Rabbit(generator, 8589934592.0);
    else if (!strcmp(battery, "alphabit")) bbattery_Alphabit(generator, 8589934592.0, 0, 32);
    else return 2;
    unif01_DeleteExternGenBits(generator);
    return 0;
}
