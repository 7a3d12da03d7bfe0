int part1(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += i * 1 ^ sum;
	return sum;
}
