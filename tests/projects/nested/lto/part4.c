int part4(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += i * 4 ^ sum;
	return sum;
}
