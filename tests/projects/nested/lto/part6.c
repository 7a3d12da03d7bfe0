int part6(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += i * 6 ^ sum;
	return sum;
}
