int part2(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += i * 2 ^ sum;
	return sum;
}
