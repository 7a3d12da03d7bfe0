int part1(int), part2(int), part3(int), part4(int), part5(int), part6(int);

int
main(int argc, char *argv[])
{
	(void)argv;
	return ((part1(argc) + part2(argc) + part3(argc) + part4(argc) + part5(argc) + part6(argc)) == 12345);
}
